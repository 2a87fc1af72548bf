"""The frozen values that the parts of this feature hand to each other, and its errors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, TypeVar

from saas_app.errors import Conflict, Invalid, NotFound, VersionConflict
from saas_app.rbac.assignment import RoleChange
from saas_app.rbac.permissions import Role
from saas_app.text.translation import _
from saas_app.text.visible import isolated
from saas_app.web.sorting import Sort

PAGE_SIZE = 20

MAX_SORTED: Final = 100
"""The longest list that can be sorted: what Logto 1.42 returns at once. It cannot sort a list itself."""

T = TypeVar("T")


class NotAMember(NotFound):
    """The organization has no member with this id. Other accounts look like those that do not exist."""

    code, title = "not-a-member", _("Member not found")


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the organization. ``is_self`` says whether it is the caller.

    ``ends`` says which of the roles end, and when. Roles that have ``ended`` are not among ``role_names``,
    although Logto still has them.
    """

    id: str
    display_name: str
    email: str | None
    is_suspended: bool
    role_names: frozenset[str]
    is_self: bool
    picture: str | None = None
    ends: Mapping[str, datetime] = field(default_factory=dict)
    ended: frozenset[str] = frozenset()

    @property
    def is_admin(self) -> bool:
        """Whether the member holds the role that runs the organization."""
        return Role.ADMIN.value in self.role_names

    @property
    def version(self) -> str:
        """A text that changes when the roles do, for actions on several members."""
        return hashlib.sha256("\n".join(sorted(self.role_names)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine application that belongs to the organization, with the names of its roles there."""

    id: str
    name: str
    description: str | None
    role_names: frozenset[str]


class MemberSort(Sort):
    """The order of a list of people: as Logto sends them, or by a column. A minus sign reverses it."""

    LOGTO = ""
    NAME = "name"
    NAME_OPPOSITE = "-name"
    EMAIL = "email"
    EMAIL_OPPOSITE = "-email"
    ROLES = "roles"
    ROLES_OPPOSITE = "-roles"


@dataclass(frozen=True, slots=True)
class MembersFilter:
    """A filter of members. ``role`` is a role's name; empty texts do not filter."""

    search: str = ""
    role: str = ""
    sort: MemberSort = MemberSort.LOGTO
    page: int = 1  # counted from 1, as Logto does
    page_size: int = PAGE_SIZE

    @property
    def is_empty(self) -> bool:
        """Whether the filter matches everybody."""
        return not self.search and not self.role


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A page of a list in Logto, and its position among all pages."""

    items: tuple[T, ...]
    number: int
    total: int
    size: int = PAGE_SIZE

    @property
    def first(self) -> int:
        """The position of the first item, counted from 1."""
        return (self.number - 1) * self.size + 1

    @property
    def last(self) -> int:
        """The position of the last item."""
        return self.first + len(self.items) - 1

    @property
    def has_next(self) -> bool:
        """Whether another page follows."""
        return self.number * self.size < self.total

    @property
    def is_past_end(self) -> bool:
        """Whether the list has items but ends before this page, because it has become shorter."""
        return not self.items and self.total > 0

    @property
    def last_number(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class People:
    """A page of people, and the roles to filter by."""

    page: Listing[Member]
    role_names: tuple[str, ...]

    @property
    def can_sort(self) -> bool:
        """Whether there are few enough people to sort them."""
        return self.page.total <= MAX_SORTED


class LastAdmin(Conflict):
    """The change would leave the organization without anybody who can run it."""

    code, title = "last-admin", _("An organization needs an admin")

    def __init__(self, member: Member, organization_name: str) -> None:
        organization = isolated(organization_name)
        super().__init__(
            _(
                "You are the only admin of %(organization)s who can sign in and whose role has no end. Make "
                "another member an admin first. Nothing was changed.",
                organization=organization,
            )
            if member.is_self
            else _(
                "%(name)s is the only admin of %(organization)s who can sign in and whose role has no end. "
                "Make another member an admin first. Nothing was changed.",
                name=isolated(member.display_name),
                organization=organization,
            )
        )


class RecoveryAdmin(Conflict):
    """The change would take the recovery admin from an organization that requires single sign-on."""

    code, title = "recovery-admin", _("Single sign-on needs its recovery admin")

    def __init__(self, member: Member, organization_name: str) -> None:
        organization = isolated(organization_name)
        super().__init__(
            _(
                "You are the recovery admin of %(organization)s, which requires single sign-on. Choose "
                "another recovery admin first. Nothing was changed.",
                organization=organization,
            )
            if member.is_self
            else _(
                "%(name)s is the recovery admin of %(organization)s, which requires single sign-on. Choose "
                "another recovery admin first. Nothing was changed.",
                name=isolated(member.display_name),
                organization=organization,
            )
        )


class LeaveInstead(Conflict):
    """The caller tried to remove themselves."""

    code, title = "leave-instead", _("You cannot remove yourself")


class RolesChanged(VersionConflict):
    """The member's roles changed since the form was opened. Nothing was overwritten."""

    def __init__(self, member: Member, wanted: WantedRoles) -> None:
        super().__init__(
            _("The roles of %(name)s have changed since you read them.", name=isolated(member.display_name))
        )
        self.member = member
        self.wanted = wanted


class NotHeld(Conflict):
    """The member does not have the role whose end would change: it has ended, or was taken away."""

    code, title = "role-not-held", _("This role has ended")

    def __init__(self, member: Member, role: Role) -> None:
        super().__init__(
            _(
                "%(name)s does not have the %(role)s role, or it has ended. To extend it, assign it again.",
                name=isolated(member.display_name),
                role=role.value,
            )
        )


class EndChanged(VersionConflict):
    """The end of the role changed since the form was opened. Nothing was overwritten."""

    def __init__(self, member: Member, role: Role) -> None:
        super().__init__(
            _(
                "The end of the %(role)s role of %(name)s has changed since you opened the page. Nothing was "
                "changed.",
                role=role.value,
                name=isolated(member.display_name),
            )
        )
        self.member = member
        self.role = role


class OwnEnd(Conflict):
    """The caller would let their own role last longer."""

    code, title = "own-role-end", _("You cannot extend your own role")

    def __init__(self, role: Role) -> None:
        super().__init__(_("Ask another member to extend your %(role)s role.", role=role.value))


class SelfDemotionUnconfirmed(Invalid):
    """The caller would give up permissions of their own, and has not confirmed it."""

    def __init__(self, plan: RolePlan) -> None:
        super().__init__(_("You would give up permissions of your own."))
        self.plan = plan


@dataclass(frozen=True, slots=True)
class WantedRoles:
    """The choice of a form. ``seen`` are the names of the roles the member held when it was opened.

    ``until`` is the end of the roles that the choice adds, or None if they do not end.
    """

    user_id: str
    seen: frozenset[str]
    chosen: frozenset[Role]
    accepts_own_loss: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RolePlan:
    """The result of a choice of roles, before or after the change.

    ``until`` is the end of the added roles, or None if they do not end or there are none.
    """

    member: Member
    after: frozenset[str]
    change: RoleChange
    until: datetime | None = None

    @property
    def ends(self) -> dict[str, datetime]:
        """When the roles end that the member has after the change."""
        kept = {name: end for name, end in self.member.ends.items() if name in self.after}
        return kept if self.until is None else {**kept, **dict.fromkeys(self.change.added, self.until)}

    @property
    def is_own_loss(self) -> bool:
        """Return whether the caller gives up permissions of their own."""
        return self.member.is_self and bool(self.change.lost)
