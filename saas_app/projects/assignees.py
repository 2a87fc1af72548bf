"""Who a task may be assigned to. Logto says who is a member; the forms ask it, and lists do not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Invalid, LogtoUnavailable, ManagementNotSetUp
from saas_app.identity.directory import Directory
from saas_app.identity.membership_changes import read_changes
from saas_app.identity.named_members import CheckedMember
from saas_app.identity.tenant import Tenant
from saas_app.logto import ManagementClient, explaining
from saas_app.text.ids import is_id
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

_OFFERED = 100  # members in the form
MOST_AT_ONCE = 20
"""The most different people in one request. Logto is asked about each."""


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

    async def list_names(self) -> dict[str, str]:
        """Return the names of members by id, for the form: the caller first, then the first hundred.

        Without Logto, only the caller is offered.
        """
        caller = self.tenant.principal
        names = {} if caller.is_machine else {caller.subject: caller.display_name}
        if self.management is None:
            return names
        try:
            with explaining():
                page = await self.management.list_members_page(
                    self.tenant.organization_id, page=1, page_size=_OFFERED
                )
        except LogtoUnavailable:
            return names
        others = {info.user.id: info.user.display_name for info in page.items}
        return {**names, **dict(sorted(others.items(), key=lambda item: item[1].casefold()))}

    def _is_caller(self, user_id: str) -> bool:
        """Return whether it is the caller, whose token says that they are a member."""
        return user_id == self.tenant.principal.subject and not self.tenant.principal.is_machine

    async def _ask(self, user_id: str) -> None:
        """Ask Logto whether the person is a member, and store their name for lists."""
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
            await self.directory.remember_member(await self.management.get_user(user_id))


def _invalid(message: Sentence) -> Invalid:
    return Invalid(message, fields={"assignee_id": message})
