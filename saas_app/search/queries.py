"""The statement that finds projects and people of an organization by their names."""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db.search import ESCAPE, containing, has_trigram, row_by_row
from saas_app.db.session import DatabaseSession
from saas_app.models import AuditActor, FormerMembership, Project, User
from saas_app.models.project import fold_name
from saas_app.search.values import Known

_PROJECT: Final = "project"
_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_FOLDED = sa.bindparam("folded", type_=sa.String())
_TYPED = sa.bindparam("typed", type_=sa.String())


async def find_known(
    db: DatabaseSession, text: str, limit: int, *, with_projects: bool, with_people: bool
) -> Known:
    """Return at most ``limit`` projects, the latest first, and ``limit`` people, in one statement."""
    if not (with_projects or with_people):
        return Known()
    values: dict[str, Any] = {"limit": limit}
    if with_projects:
        values["folded"] = containing(fold_name(text))
    if with_people:
        values["typed"] = containing(text)
    statement = _statement(with_projects, with_people, has_trigram(text))
    rows = (await db.execute(statement, values)).all()
    return Known(
        projects=tuple((uuid.UUID(row.id), row.name) for row in rows if row.kind == _PROJECT),
        people=tuple(row.name for row in rows if row.kind != _PROJECT),
    )


@cache
def _statement(with_projects: bool, with_people: bool, by_index: bool) -> sa.Select[*tuple[Any, ...]]:
    parts = [_projects(by_index)] * with_projects + [_people()] * with_people
    return sa.select(sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery())


def _projects(by_index: bool) -> sa.Select[*tuple[Any, ...]]:
    matches = Project.folded_name.like(_FOLDED, escape=ESCAPE)
    return (
        sa.select(
            sa.literal(_PROJECT).label("kind"),
            sa.cast(Project.id, sa.String).label("id"),
            Project.name.label("name"),
        )
        .where(matches if by_index else row_by_row(matches))
        .order_by(Project.updated_at.desc(), Project.id.desc())
        .limit(_LIMIT)
    )


def _people() -> sa.Select[*tuple[Any, ...]]:
    """Return the people who appear in the audit log and have not left. API clients have no row in users."""
    name = User.display_name(AuditActor.name)
    has_left = (
        sa.select(FormerMembership.user_id)
        .where(
            FormerMembership.organization_id == AuditActor.organization_id,
            FormerMembership.user_id == AuditActor.actor_id,
        )
        .correlate(AuditActor)
        .exists()
    )
    return (
        sa.select(sa.literal("person").label("kind"), AuditActor.actor_id.label("id"), name.label("name"))
        .join(User, User.id == AuditActor.actor_id)
        .where(name.ilike(_TYPED, escape=ESCAPE), ~has_left)
        .distinct()
        .order_by(name)
        .limit(_LIMIT)
    )
