"""Counts the members whom single sign-on would lock out, for the preview of requiring it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from saas_app.email_domains.names import domain_of
from saas_app.logto import ManagementClient, explaining

_PAGE: Final = 100
_MOST_PAGES: Final = 10  # 1,000 members; in larger organizations, the count is a lower bound
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Outsiders:
    """Members without an address at the domains. ``is_partial``: only the first members were read."""

    count: int
    names: tuple[str, ...]
    is_partial: bool

    @property
    def unnamed(self) -> int:
        """How many of them are not among ``names``."""
        return self.count - len(self.names)


async def list_outsiders(
    management: ManagementClient, organization_id: str, domains: Collection[str]
) -> Outsiders:
    """Return the members whose primary address is at none of the domains, or who have none.

    Raises what :func:`saas_app.logto.explaining` raises.
    """
    found: list[str] = []
    page, total = 0, 1
    with explaining():
        while page * _PAGE < total and page < _MOST_PAGES:
            page += 1
            members = await management.list_members_page(organization_id, page=page, page_size=_PAGE)
            total = members.total
            found += [
                member.user.display_name
                for member in members.items
                if domain_of(member.user.email) not in domains
            ]
    return Outsiders(len(found), tuple(found[:_SHOWN]), is_partial=page * _PAGE < total)
