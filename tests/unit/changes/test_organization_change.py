"""What a change of an organization rejects before anything is read or written."""

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
    """The thing no longer exists."""


async def test_a_change_cannot_be_carried_out_without_the_lease() -> None:
    change: OrganizationChange[Workroom] = SYSTEMS.by(Workroom("acme"))
    with pytest.raises(RuntimeError, match="within alone"):
        await change.carry_out(change.event(Action.ORGANIZATION_UPDATE, TARGET), cast("Any", None))


async def test_changes_by_workroom_are_not_counted() -> None:
    await SYSTEMS.by(Workroom("acme")).count()


async def test_changes_by_people_need_limits() -> None:
    with pytest.raises(RuntimeError, match="change_limits"):
        await SYSTEMS.by(Newcomer("acme", Principal("ada"))).count()


def test_an_event_names_its_author() -> None:
    by_ada = SYSTEMS.by(Newcomer("acme", Principal("ada", name="Ada")))
    assert by_ada.event(Action.ORGANIZATION_UPDATE, TARGET).actor.name == "Ada"
    assert SYSTEMS.by(Workroom("acme")).event(Action.DOMAIN_LAPSE, TARGET).actor is SYSTEM


@pytest.mark.parametrize(("given", "expected"), [(None, NotFound), (Gone, Gone)])
def test_a_404_of_logto_becomes_the_error_of_the_change(
    given: type[NotFound] | None, expected: type[NotFound]
) -> None:
    change = SYSTEMS.by(Workroom("acme"))
    with pytest.raises(expected), change.explain(given):
        raise ManagementError(404, "entity.not_found", "no")


def test_any_other_refusal_of_logto_keeps_its_own_explanation() -> None:
    change = SYSTEMS.by(Workroom("acme"))
    with pytest.raises(LogtoUnavailable), change.explain(Gone):
        raise ManagementError(401, "auth.unauthorized", "no")
