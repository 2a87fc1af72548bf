"""Who can come in if the company's identity provider does not respond: the candidates for recovery admin.

A recovery admin has a role without an end by which single sign-on can be made optional, and a way to sign in
that does not lead to the provider. Logto sends addresses at the connection's domains there, so it takes a
username with a password, or another address. Both count only if Logto's sign-in page offers them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.names import domain_of
from saas_app.errors import Invalid
from saas_app.identity.role_ends import list_ends
from saas_app.identity.single_sign_on import RECOVERY_ROLES
from saas_app.logto import LogtoUser, ManagementClient, MemberInfo, explaining
from saas_app.single_sign_on.values import Connection
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

_AT_ONCE: Final = 5  # calls to Logto for single accounts


class WayIn(StrEnum):
    """How somebody signs in without the company's identity provider."""

    USERNAME = "username"
    """A username and a password."""
    ADDRESS = "address"
    """An email address outside the connection's domains, with a password or a code."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member who could make single sign-on optional again. Without a ``way``, only through the provider."""

    id: str
    name: str
    email: str | None
    way: WayIn | None


async def list_candidates(
    work: UnitOfWork, management: ManagementClient, connection: Connection
) -> list[Candidate]:
    """Return the members who hold ``organization:update`` without an end, and are not suspended, by name.

    ``connection`` names the organization, and the domains whose addresses lead to the provider. Raises what
    :func:`saas_app.logto.explaining` raises.
    """
    with explaining():
        admins, experience = await asyncio.gather(
            _list_admins(management, connection.organization_id), management.get_sign_in_experience()
        )
        active = {admin.user.id: admin for admin in admins if not admin.user.is_suspended}
        async with work.reading(connection.organization_id) as db:
            ends = await list_ends(db, connection.organization_id, active)
        lasting = [
            user_id
            for user_id, admin in active.items()
            if admin.role_names & RECOVERY_ROLES - ends.get(user_id, {}).keys()
        ]
        users = await _read_accounts(management, lasting)
    offered = Offered.read(experience)
    found = [
        Candidate(user.id, user.display_name, user.email, offered.way_of(user, connection.domains))
        for user in users
    ]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


async def require_recoverable(
    work: UnitOfWork, management: ManagementClient, connection: Connection, user_id: str
) -> Candidate:
    """Return the candidate with this id, who can come in without the provider.

    Ask in the turn of the change that makes them the recovery admin. Raises :class:`Invalid` with the reason.
    """
    candidates = await list_candidates(work, management, connection)
    found = next((one for one in candidates if one.id == user_id), None)
    if found is None:
        raise _invalid(
            _("Choose a member who is an admin without an end, and whose account is not suspended.")
        )
    if found.way is None:
        raise _invalid(
            _(
                "%(name)s can sign in only with %(provider)s. A recovery admin needs a username with a "
                "password, or an email address outside the domains of the connection.",
                name=isolated(found.name),
                provider=isolated(connection.name),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Offered:
    """What Logto's sign-in page accepts besides identity providers."""

    username_password: bool
    email_password: bool
    email_code: bool

    @classmethod
    def read(cls, experience: Mapping[str, Any]) -> Offered:
        """Read the settings of Logto's sign-in pages (Logto 1.42)."""
        methods = {method["identifier"]: method for method in experience["signIn"]["methods"]}
        username, email = methods.get("username", {}), methods.get("email", {})
        return cls(
            username_password=username.get("password") is True,
            email_password=email.get("password") is True,
            email_code=email.get("verificationCode") is True,
        )

    def way_of(self, user: LogtoUser, domains: tuple[str, ...]) -> WayIn | None:
        """Return how an account signs in without the provider that these domains lead to, or None."""
        if self.username_password and user.username and user.has_password:
            return WayIn.USERNAME
        domain = domain_of(user.email)
        can_prove = self.email_code or (self.email_password and user.has_password)
        return WayIn.ADDRESS if domain is not None and domain not in domains and can_prove else None


async def _list_admins(management: ManagementClient, organization_id: str) -> list[MemberInfo]:
    roles = await management.list_organization_roles()
    ids = [role.id for role in roles if role.name in RECOVERY_ROLES]
    return [
        member
        for role_id in ids
        for member in await management.list_members(organization_id, role_id=role_id)
    ]


async def _read_accounts(management: ManagementClient, user_ids: list[str]) -> list[LogtoUser]:
    """Read the accounts one by one: Logto's lists do not say who has a password."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def read(user_id: str) -> LogtoUser:
        async with turns:
            return await management.get_user(user_id)

    return list(await asyncio.gather(*map(read, user_ids)))


def _invalid(reason: Sentence) -> Invalid:
    return Invalid(reason, fields={"recovery": reason})
