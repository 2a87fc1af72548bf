"""The newest changes that a member may see, for a feed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from saas_app.audit import queries
from saas_app.audit.recorder import Action
from saas_app.audit.service import recent
from saas_app.db.base import new_uuid
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import Outcome
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Permission, Role
from tests.integration.audit.conftest import add_events
from tests.integration.tenants import admin_of

OF_PROJECTS = {Action.PROJECT_CREATE, Action.TASK_DELETE}
OF_MEMBERS = {Action.MEMBER_CHANGE_ROLES, Action.MEMBER_JOIN}
OF_ADMINS = {Action.API_CLIENT_ROTATE, Action.AUDIT_EXPORT, Action.DOMAIN_CLAIM, Action.INVITATION_CREATE}


@pytest.fixture
async def organization_id(work: UnitOfWork) -> str:
    """An organization with one event of each kind, and a denial."""
    here = f"org-{new_uuid().hex}"
    for action in sorted(OF_PROJECTS | OF_MEMBERS | OF_ADMINS):
        await add_events(work, here, 1, action=action)
    await add_events(work, here, 1, action=Action.ACCESS_DENY, outcome=Outcome.DENIED)
    return here


async def shown(work: UnitOfWork, organization_id: str, granted: frozenset[Permission]) -> set[str]:
    asked = recent(replace(admin_of(organization_id), granted=granted), 50)
    async with work.reading(organization_id) as db:
        return {row.action for row in await asked.read(db)} if asked else set()


@pytest.mark.parametrize(
    ("granted", "wanted"),
    [
        (ROLE_PERMISSIONS[Role.ADMIN], OF_PROJECTS | OF_MEMBERS | OF_ADMINS),
        (frozenset({Permission.AUDIT_READ}), OF_PROJECTS | OF_MEMBERS | OF_ADMINS),
        (ROLE_PERMISSIONS[Role.VIEWER], OF_PROJECTS | OF_MEMBERS),
        (frozenset({Permission.PROJECTS_READ}), OF_PROJECTS),
        (frozenset({Permission.MEMBERS_READ}), OF_MEMBERS),
        (frozenset({Permission.PROJECTS_EXPORT}), set()),
        (frozenset(), set()),
    ],
    ids=["admin", "auditor", "viewer", "projects", "members", "exports", "nothing"],
)
async def test_a_feed_shows_the_changes_that_a_member_may_view(
    work: UnitOfWork, organization_id: str, granted: frozenset[Permission], wanted: set[Action]
) -> None:
    assert await shown(work, organization_id, granted) == wanted


async def test_a_feed_shows_the_newest_changes_of_its_organization_only(
    work: UnitOfWork, organization_id: str
) -> None:
    await add_events(work, organization_id, 3, action=Action.TASK_CREATE)
    await add_events(work, f"org-{new_uuid().hex}", 3, action=Action.PROJECT_DELETE)
    tenant = replace(admin_of(organization_id), granted=frozenset({Permission.PROJECTS_READ}))

    asked = recent(tenant, 4)
    assert asked is not None

    async with work.reading(organization_id) as db:
        rows = await asked.read(db)

    assert [row.action for row in rows[:3]] == [Action.TASK_CREATE] * 3
    assert len(rows) == 4
    assert rows == sorted(rows, key=lambda row: row.id, reverse=True)


async def test_a_feed_looks_at_a_limited_number_of_events(
    work: UnitOfWork, organization_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_events(work, organization_id, 2, action=Action.AUDIT_EXPORT)
    monkeypatch.setattr(queries, "WINDOW", 2)

    assert await shown(work, organization_id, frozenset({Permission.PROJECTS_READ})) == set()
