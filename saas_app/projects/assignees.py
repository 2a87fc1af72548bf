"""Who a task may be assigned to. Logto says who is a member; the forms ask it, and lists do not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Invalid, LogtoUnavailable, ManagementNotSetUp
from saas_app.identity.directory import Directory
from saas_app.identity.membership_changes import read_changes
from saas_app.identity.named_members import CheckedMember
from saas_app.identity.tenant import Tenant
from saas_app.logto import LogtoUser, ManagementClient, explaining
from saas_app.text.ids import is_id
from saas_app.text.languages import current_language
from saas_app.text.order import order_key
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

MOST_OFFERED: Final = 100
"""The most members in a form: what Logto 1.42 returns at once. Others are found by a search."""

MOST_AT_ONCE: Final = 20
"""The most different people in one request. Logto is asked about each."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The names of members to choose from, by id: the caller, and those ``found`` by the search.

    ``has_more`` says that more match, and ``is_partial`` that Logto could not be asked.
    """

    names: Mapping[str, str]
    found: frozenset[str] = frozenset()
    has_more: bool = False
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class Assignees:
    """Checks and lists the members of one organization.

    ``management`` is None if the installation has no credentials for it. Then people can assign tasks only to
    themselves.
    """

    work: UnitOfWork
    directory: Directory
    management: ManagementClient | None
    tenant: Tenant

    async def check(self, user_id: str | None) -> CheckedMember | None:
        """Return the member as checked now, or None for nobody. Nothing may be read or written meanwhile.

        Raises :class:`Invalid` for a person who is not a member, :class:`ManagementNotSetUp` and
        :class:`LogtoUnavailable`.
        """
        if user_id is None:
            return None
        async with self.work.reading(self.tenant.organization_id) as db:
            known = await read_changes(db, self.tenant.organization_id, user_id)
        if not self._is_caller(user_id):
            await self._ask(user_id)
        return CheckedMember(user_id, known.version)

    async def check_all(self, user_ids: Collection[str | None]) -> list[CheckedMember]:
        """Check each person once. Raises what :meth:`check` raises, and :class:`Invalid` for too many."""
        different = list(dict.fromkeys(filter(None, user_ids)))
        if len(different) > MOST_AT_ONCE:
            raise _invalid(_("Name at most %(number)s different people at a time.", number=MOST_AT_ONCE))
        return [member for user_id in different if (member := await self.check(user_id)) is not None]

    async def offer(self, search: str = "", *, asks_logto: bool = True) -> Offered:
        """Return the members to choose from: the caller first, then the first hundred that match the search.

        Without Logto, only the caller is offered.
        """
        caller = self.tenant.principal
        names = {} if caller.is_machine else {caller.subject: caller.display_name}
        if self.management is None or not asks_logto:
            return Offered(names, is_partial=True)
        try:
            with explaining():
                page = await self.management.list_members_page(
                    self.tenant.organization_id, page=1, page_size=MOST_OFFERED, search=search
                )
        except LogtoUnavailable:
            return Offered(names, is_partial=True)
        found = {info.user.id: info.user.display_name for info in page.items}
        language = current_language()
        in_order = sorted(found.items(), key=lambda item: order_key(item[1], language))
        return Offered({**names, **dict(in_order)}, frozenset(found), page.total > len(page.items))

    async def find_name(self, user_id: str) -> str | None:
        """Return a member's name, or None for somebody who is not a member, or if Logto does not respond."""
        if self._is_caller(user_id):
            return self.tenant.principal.display_name
        try:
            return (await self._ask(user_id)).display_name
        except (Invalid, LogtoUnavailable, ManagementNotSetUp):
            return None

    def _is_caller(self, user_id: str) -> bool:
        """Return whether it is the caller, whose token says that they are a member."""
        return user_id == self.tenant.principal.subject and not self.tenant.principal.is_machine

    async def _ask(self, user_id: str) -> LogtoUser:
        """Ask Logto about a person, who must be a member, and store their name for lists."""
        if self.management is None:
            raise ManagementNotSetUp
        with explaining():
            is_member = is_id(user_id) and (
                await self.management.find_member_roles(self.tenant.organization_id, user_id) is not None
            )
            if not is_member:
                raise _invalid(
                    _(
                        "This person is not a member of %(organization)s.",
                        organization=isolated(self.tenant.organization_name),
                    )
                )
            user = await self.management.get_user(user_id)
        await self.directory.remember_member(user)
        return user


def _invalid(message: Sentence) -> Invalid:
    return Invalid(message, fields={"assignee_id": message})
