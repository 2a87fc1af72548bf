"""How often a denied request is recorded in the audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from saas_app.audit import denials
from saas_app.audit.denials import (
    MAX_PER_HOUR,
    Denials,
    Outsiders,
    RequestInfo,
    refused_without_second_factor,
)
from saas_app.db.base import new_uuid
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.principal import SessionPrincipal, SupportAgent
from saas_app.models import AuditEvent
from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import Sentence

EVE = SessionPrincipal("eve", session_id=new_uuid(), name="Eve")
BOB = SessionPrincipal("bob", session_id=new_uuid(), name="Bob")
SUPPORT_SESSION = new_uuid()
READ = RequestInfo("GET", "/o/acme/audit", "/o/<organization_id>/audit")
EXPORT = RequestInfo("GET", "/o/acme/audit/export.csv", "/o/<organization_id>/audit/export.csv")


class AuditLog:
    """A stand-in for the unit of work, and the clock."""

    def __init__(self) -> None:
        self.events: list[tuple[str, AuditEvent]] = []
        self.now = 1000.0
        self.is_full = False

    @asynccontextmanager
    async def writing(self, organization_id: str) -> AsyncIterator[Any]:
        audit_log = self

        class Session:
            def insert_at_commit(self, model: type[AuditEvent], row: dict[str, Any]) -> None:
                audit_log.events.append((organization_id, model(**row)))

        if self.is_full:
            raise OSError("disk full")
        yield Session()


@pytest.fixture
def audit_log() -> AuditLog:
    return AuditLog()


@pytest.fixture
def recorder(audit_log: AuditLog) -> Denials:
    return Denials(cast("UnitOfWork", audit_log), clock=lambda: audit_log.now)


def refused(permission: Permission = Permission.AUDIT_READ) -> Decision:
    return Decision(False, (StepResult(Step.PERMISSION, False, Sentence("No.")),), permission=permission)


def acting_for(member: SessionPrincipal) -> SessionPrincipal:
    """Return a member for whom an agent acts, in the agent's own session, in an access of its own."""
    ends_at = datetime(2026, 11, 21, tzinfo=UTC)
    agent = SupportAgent("sam", "Sam", new_uuid(), "4711", ends_at, may_write=False)
    return replace(member, session_id=SUPPORT_SESSION, support=agent)


def new_session() -> SessionPrincipal:
    """Return another session of Eve."""
    return SessionPrincipal("eve", session_id=new_uuid(), name="Eve")


@pytest.mark.parametrize(("seconds", "recorded"), [(9.9, 1), (10.0, 2)])
async def test_a_repeated_denial_is_recorded_again_after_ten_seconds(
    audit_log: AuditLog, recorder: Denials, seconds: float, recorded: int
) -> None:
    assert await recorder.note(EVE, "acme", READ, refused())
    audit_log.now += seconds
    assert await recorder.note(EVE, "acme", READ, refused()) is (recorded == 2)
    assert len(audit_log.events) == recorded


async def test_a_different_denial_is_recorded_immediately(audit_log: AuditLog, recorder: Denials) -> None:
    assert await recorder.note(EVE, "acme", READ, refused())
    assert await recorder.note(new_session(), "acme", READ, refused())
    assert await recorder.note(EVE, "globex", READ, refused())
    assert await recorder.note(EVE, "acme", EXPORT, refused())
    assert await recorder.note(EVE, "acme", READ, refused(Permission.PROJECTS_WRITE))
    assert [organization_id for organization_id, _event in audit_log.events].count("globex") == 1


@pytest.fixture
async def flooded(audit_log: AuditLog, recorder: Denials) -> AuditLog:
    """The audit log after Eve was denied a thousand times, each time in a new session."""
    for _ in range(1000):
        await recorder.note(new_session(), "acme", READ, refused())
    return audit_log


async def test_one_person_cannot_fill_the_audit_log_from_many_sessions(flooded: AuditLog) -> None:
    assert len(flooded.events) == MAX_PER_HOUR


async def test_the_application_log_says_once_that_denials_are_no_longer_recorded(
    audit_log: AuditLog, recorder: Denials
) -> None:
    with capture_logs() as lines:
        for _ in range(MAX_PER_HOUR + 50):
            await recorder.note(new_session(), "acme", READ, refused())
    assert [(line["log_level"], line["subject"], line["organization_id"]) for line in lines] == [
        ("warning", "eve", "acme")
    ]


async def test_another_route_is_still_recorded_once_after_the_limit(
    flooded: AuditLog, recorder: Denials
) -> None:
    for _ in range(3):
        await recorder.note(new_session(), "acme", EXPORT, refused())
    assert len(flooded.events) == MAX_PER_HOUR + 1


@pytest.mark.usefixtures("flooded")
async def test_denials_of_other_people_and_in_other_organizations_are_still_recorded(
    recorder: Denials,
) -> None:
    assert await recorder.note(BOB, "acme", READ, refused())
    assert await recorder.note(EVE, "globex", READ, refused())


async def test_the_denials_of_a_member_hide_none_of_an_agent_who_acts_for_them(
    flooded: AuditLog, recorder: Denials
) -> None:
    await recorder.note(acting_for(EVE), "acme", READ, refused())

    assert flooded.events[-1][1].actor_name == "Sam"


async def test_each_support_access_has_its_own_denials(audit_log: AuditLog, recorder: Denials) -> None:
    """The session, or with a token the application, is that of the support team in each of them."""
    for member in (EVE, BOB):
        await recorder.note(acting_for(member), "acme", READ, refused())

    assert [event.behalf_id for _, event in audit_log.events] == ["eve", "bob"]


async def test_after_an_hour_everything_is_recorded_again(flooded: AuditLog, recorder: Denials) -> None:
    flooded.now += 3600
    assert await recorder.note(EVE, "acme", READ, refused())


async def test_a_denial_that_could_not_be_stored_is_recorded_next_time(
    audit_log: AuditLog, recorder: Denials
) -> None:
    audit_log.is_full = True
    assert not await recorder.note(EVE, "acme", READ, refused())
    audit_log.is_full = False
    assert await recorder.note(EVE, "acme", READ, refused())


async def test_remembered_denials_are_bounded_and_the_oldest_is_forgotten(
    audit_log: AuditLog, recorder: Denials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denials, "_REMEMBERED", 3)
    for number in range(4):
        await recorder.note(EVE, f"org-{number}", READ, refused())
    assert await recorder.note(EVE, "org-0", READ, refused()), "forgotten"
    assert not await recorder.note(EVE, "org-3", READ, refused()), "remembered"


def test_the_decision_for_a_member_without_a_second_factor_fails_at_the_audience() -> None:
    without = refused_without_second_factor(EVE, "Acme")
    assert [step.passed for step in without.steps] == [True, True, False]
    assert without.decided_by.step is Step.AUDIENCE


def test_requests_of_outsiders_are_logged_immediately_and_then_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, lines = 1000.0, []

    class Log:
        def info(self, _event: str, **fields: Any) -> None:
            lines.append((fields["subject"], fields["organization_id"], fields["count"]))

    monkeypatch.setattr(denials, "log", Log())
    outsiders = Outsiders(clock=lambda: now)
    for _ in range(5):
        outsiders.count("eve", "acme", READ)
    outsiders.count("mallory", "acme", READ)
    now += 10
    outsiders.count("eve", "globex", READ)
    assert lines == [("eve", "acme", 1), ("mallory", "acme", 1), ("eve", "globex", 5)]


def test_remembered_outsiders_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denials, "_REMEMBERED", 3)
    outsiders = Outsiders()
    for number in range(10):
        outsiders.count(f"eve-{number}", "acme", READ)
    assert len(outsiders._counted) == 3
