"""The holder of a bearer token and its organization, read in one statement by every request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db import keys
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.bearer import BearerToken
from saas_app.identity.membership_changes import CHANGE_COLUMNS, KnownChanges, as_changes
from saas_app.identity.principal import Principal
from saas_app.identity.role_ends import END_COLUMNS, as_ends
from saas_app.identity.session_access import NO_ORGANIZATION
from saas_app.identity.single_sign_on import REQUIREMENT_COLUMNS, SsoRequirement, as_requirement
from saas_app.models import (
    ApiClient,
    MembershipChange,
    Organization,
    PendingChange,
    RoleEnd,
    SsoConnection,
    User,
)


@dataclass(frozen=True, slots=True)
class BearerAccess:
    """The holder of a token, the name of its organization, and the changes of that membership.

    ``is_membership_changing``: a change has begun whose result is not known. ``is_client``: the holder is an
    API client that was created here; ``used_at`` is when its last use was noted. ``role_ends`` says when
    roles of a person end; some may have ended. ``sso_requirement`` is what the organization requires of
    sign-ins of people.
    """

    principal: Principal
    organization_name: str | None
    changes: KnownChanges
    is_membership_changing: bool
    is_client: bool = False
    used_at: datetime | None = None
    role_ends: Mapping[str, datetime] = field(default_factory=dict)
    sso_requirement: SsoRequirement | None = None

    @property
    def unmet_requirement(self) -> SsoRequirement | None:
        """What the organization requires of sign-ins, if it is not met. No token says how a person signed in.

        Machines do not sign in.
        """
        required = self.sso_requirement
        if required is None or self.principal.is_machine or required.is_met_by(self.principal):
            return None
        return required


async def read_access(work: UnitOfWork, token: BearerToken) -> BearerAccess:
    """Read the holder of a token, and the changes of their membership."""
    organization_id = token.organization_id or NO_ORGANIZATION
    values = {"organization_id": organization_id, "subject": token.subject}
    async with work.reading(organization_id, key=keys.of_person(token.subject)) as db:
        rows = (await db.execute(_KNOWN, values)).all()
    first = rows[0]
    principal = Principal(
        subject=token.subject,
        name=first.name,
        username=first.username,
        email=first.email,
        is_machine=token.is_machine,
        client_id=token.client_id,
    )
    return BearerAccess(
        principal,
        first.organization_name,
        as_changes(rows),
        first.is_changing,
        is_client=first.client_id is not None,
        used_at=first.last_used_at,
        role_ends=as_ends(rows),
        sso_requirement=as_requirement(first),
    )


def _statement() -> sa.Select[*tuple[Any, ...]]:
    """Build the statement. It returns a row for each known change and role that ends, and at least one."""
    organization_id = sa.bindparam("organization_id", type_=sa.String)
    subject = sa.bindparam("subject", type_=sa.String)
    here = sa.select(organization_id.label("organization_id"), subject.label("subject")).subquery()
    return (
        sa.select(
            Organization.name.label("organization_name"),
            sa.func.coalesce(User.name, ApiClient.name).label("name"),
            User.username,
            User.email,
            ApiClient.client_id,
            ApiClient.last_used_at,
            *CHANGE_COLUMNS,
            *END_COLUMNS,
            *REQUIREMENT_COLUMNS,
            PendingChange.touches(here.c.organization_id, here.c.subject).label("is_changing"),
        )
        .select_from(here)
        .outerjoin(Organization, Organization.id == here.c.organization_id)
        .outerjoin(User, User.id == here.c.subject)
        .outerjoin(
            ApiClient,
            sa.and_(
                ApiClient.organization_id == here.c.organization_id,
                ApiClient.client_id == here.c.subject,
            ),
        )
        .outerjoin(SsoConnection, SsoConnection.organization_id == here.c.organization_id)
        .outerjoin(MembershipChange, MembershipChange.touches(here.c.organization_id, here.c.subject))
        .outerjoin(
            RoleEnd,
            sa.and_(
                RoleEnd.organization_id == here.c.organization_id,
                RoleEnd.user_id == here.c.subject,
            ),
        )
    )


_KNOWN: Final = _statement()
