"""What a change of an organization refuses before anything is asked or written."""

from __future__ import annotations

from typing import Any, cast

import pytest

from saas_app.audit.recorder import SYSTEM, Action, Target
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.errors import LogtoUnavailable, NotFound
from saas_app.identity.principal import Principal
from saas_app.identity.standing import Newcomer, Workroom
from saas_app.logto import ManagementError

SYSTEMS = Systems(cast("Any", None), cast("Any", None), None)
TARGET = Target("organization", "acme", "Acme")


class Gone(NotFound):
    """The thing is not there."""


async def test_nothing_is_carried_out_outside_a_turn() -> None:
    change: OrganizationChange[Workroom] = SYSTEMS.by(Workroom("acme"))
    with pytest.raises(RuntimeError, match="only in a turn"):
        await change.carry_out(change.event(Action.ORGANIZATION_UPDATE, TARGET), cast("Any", None))


async def test_people_change_nothing_without_limits_and_workroom_is_not_counted() -> None:
    await SYSTEMS.by(Workroom("acme")).count()
    with pytest.raises(RuntimeError, match="within limits"):
        await SYSTEMS.by(Newcomer("acme", Principal("ada"))).count()


def test_an_event_names_its_author() -> None:
    by_ada = SYSTEMS.by(Newcomer("acme", Principal("ada", name="Ada")))
    assert by_ada.event(Action.ORGANIZATION_UPDATE, TARGET).actor.name == "Ada"
    assert SYSTEMS.by(Workroom("acme")).event(Action.DOMAIN_LAPSE, TARGET).actor is SYSTEM


def test_a_refusal_becomes_an_error_for_a_person() -> None:
    change = SYSTEMS.by(Workroom("acme"))
    for given, expected in ((None, NotFound), (Gone, Gone)):
        with pytest.raises(expected), change.explain(given):
            raise ManagementError(404, "entity.not_found", "no")
    with pytest.raises(LogtoUnavailable), change.explain(Gone):
        raise ManagementError(401, "auth.unauthorized", "no")
