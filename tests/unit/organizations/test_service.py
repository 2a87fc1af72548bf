"""Finding one's organizations, creating one all or nothing, and explaining access."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Self, cast

import pytest
from pydantic import SecretStr

from saas_app.config import Settings
from saas_app.db.base import new_uuid
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import LogtoUnavailable
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.profiles import Membership
from saas_app.identity.tenants import TokenDescription
from saas_app.limits.changes import ChangeLimits
from saas_app.limits.requests import ProcessCounters
from saas_app.logto import ManagementClient, ManagementError, OrganizationInfo
from saas_app.models import AuditEvent
from saas_app.organizations.service import (
    Matrix,
    OrganizationInput,
    create_organization,
    example_decision,
    matching,
    permission_matrix,
)
from saas_app.rbac.permissions import Carrier, Permission, Role
from tests.tokens import scopes_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Recorder:
    """Stands for the Management API: notes the calls, and fails where it is told to."""

    def __init__(self, fails_at: str = "", failure: BaseException | None = None) -> None:
        self.calls: list[tuple[str, ...]] = []
        self._fails_at, self._failure = fails_at, failure

    def _note(self, *call: str) -> None:
        self.calls.append(call)
        if call[0] == self._fails_at and self._failure is not None:
            raise self._failure

    async def create_organization(self, name: str, description: str | None) -> OrganizationInfo:
        self._note("create", name, description or "-")
        return OrganizationInfo("org-1", name, description)

    async def add_members(self, organization_id: str, user_ids: list[str]) -> None:
        self._note("add", organization_id, *user_ids)

    async def assign_roles(self, organization_id: str, user_id: str, role_names: list[str]) -> None:
        self._note("assign", organization_id, user_id, *role_names)

    async def delete_organization(self, organization_id: str) -> None:
        self._note("delete", organization_id)


class Writing:
    """Stands for the unit of work: keeps what was added, and fails where it is told to."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.added: list[AuditEvent] = []
        self._failure = failure

    @asynccontextmanager
    async def writing(self, organization_id: str) -> AsyncIterator[Self]:
        assert organization_id == "org-1"
        yield self
        if self._failure is not None:
            raise self._failure

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Self]:
        yield self

    async def scalar(self, statement: object) -> object:
        """The session that is looked for is alive."""
        return ALICE.session_id

    def add(self, event: AuditEvent) -> None:
        self.added.append(event)


SETTINGS = Settings(
    encryption_keys=(),
    logto_endpoint="https://logto.example",
    logto_app_id="app",
    logto_app_secret=SecretStr("secret"),
)
ALICE = SessionPrincipal("alice", session_id=new_uuid(), name="Alice")


async def _create(recorder: Recorder, work: Writing | None = None) -> str:
    wanted = OrganizationInput("Acme", "")
    logto, database = cast("ManagementClient", recorder), cast("UnitOfWork", work or Writing())
    limits = ChangeLimits(SETTINGS, ProcessCounters())
    return (await create_organization(logto, database, limits, ALICE, wanted)).id


async def test_the_creator_becomes_its_admin() -> None:
    recorder, work = Recorder(), Writing()
    assert await _create(recorder, work) == "org-1"
    (event,) = work.added
    assert (event.action, event.actor_id, event.target_name) == ("organization.create", "alice", "Acme")
    assert recorder.calls == [
        ("create", "Acme", "-"),
        ("add", "org-1", "alice"),
        ("assign", "org-1", "alice", "admin"),
    ]


@pytest.mark.parametrize("step", ["add", "assign"])
@pytest.mark.parametrize("failure", [ManagementError(422, "entity.x", "no"), LogtoUnavailable("away")])
async def test_a_half_made_organization_is_deleted_again(step: str, failure: Exception) -> None:
    recorder = Recorder(step, failure)
    with pytest.raises(LogtoUnavailable):
        await _create(recorder)
    assert recorder.calls[-1] == ("delete", "org-1")


async def test_it_is_deleted_again_when_the_caller_goes_away() -> None:
    recorder = Recorder("assign", asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await _create(recorder)
    assert recorder.calls[-1] == ("delete", "org-1")


async def test_it_is_deleted_again_when_its_trail_cannot_be_begun() -> None:
    recorder = Recorder()
    with pytest.raises(OSError, match="full"):
        await _create(recorder, Writing(OSError("disk full")))
    assert recorder.calls[-1] == ("delete", "org-1")


async def test_nothing_is_deleted_when_nothing_was_made() -> None:
    recorder = Recorder("create", LogtoUnavailable("away"))
    with pytest.raises(LogtoUnavailable):
        await _create(recorder)
    assert recorder.calls == [("create", "Acme", "-")]


def _memberships(*names: str) -> list[Membership]:
    return [Membership(f"id-{number}", name, frozenset()) for number, name in enumerate(names)]


def test_organizations_are_found_by_part_of_their_name_in_any_case() -> None:
    found = matching(_memberships("Initech", "ACME Straße", "globex"), " strasse ")
    assert [membership.organization_name for membership in found] == ["ACME Straße"]


def test_organizations_are_listed_by_name_and_equal_names_by_id() -> None:
    ordered = matching(_memberships("Acme", "Beta", "Acme", "alpha"), "")
    assert [membership.organization_id for membership in ordered] == ["id-0", "id-2", "id-3", "id-1"]


def _token(carrier: Carrier, *scopes: str) -> TokenDescription:
    return TokenDescription("audience", carrier, scopes, {}, NOW, NOW, NOW)


def _carried(matrix: Matrix) -> dict[Permission, bool | None]:
    return {row.permission: row.carried for _carrier, rows in matrix.groups for row in rows}


def test_the_matrix_lights_the_held_roles() -> None:
    matrix = permission_matrix(frozenset({"editor", "a role of somebody else's"}), [])
    assert [column.role for column in matrix.columns if column.held] == [Role.EDITOR]


def test_the_matrix_tells_tokens_from_roles() -> None:
    tokens = [_token(Carrier.API_TOKEN, "projects:read", "members:remove", "unknown:scope")]
    matrix = permission_matrix(frozenset({Role.EDITOR.value}), tokens)
    carried = _carried(matrix)
    assert set(carried) == set(Permission)
    assert carried[Permission.PROJECTS_READ] is True
    assert carried[Permission.PROJECTS_WRITE] is False
    assert carried[Permission.MEMBERS_REMOVE] is None
    assert set(matrix.behind) == set(scopes_of(Role.EDITOR)) - {Permission.PROJECTS_READ}


def test_the_example_is_a_refusal() -> None:
    decision = example_decision()
    assert not decision.allowed
    assert decision.roles_that_grant == (Role.ADMIN, Role.EDITOR, Role.INTEGRATION)
