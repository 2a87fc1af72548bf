"""Offices: organizations whose members are signed in, each with a browser."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from quart import Quart

from saas_app.logto import ManagementClient
from tests.clients import Browser, Person
from tests.factories import Factory


@dataclass(frozen=True)
class Office:
    """An organization with its members and their browsers, by role."""

    id: str
    name: str
    people: dict[str, Person]
    browsers: dict[str, Browser]
    management: ManagementClient

    @property
    def root(self) -> str:
        """The path below which its pages are."""
        return f"/o/{self.id}"

    @property
    def person(self) -> Person:
        """The first member, often the only one."""
        return next(iter(self.people.values()))

    @property
    def browser(self) -> Browser:
        """The browser of the first member."""
        return next(iter(self.browsers.values()))

    @property
    def admin(self) -> Person:
        """The member who is an admin."""
        return self.people["admin"]

    async def roles_at_logto(self, person: Person) -> set[str] | None:
        """Ask Logto for the roles of a member. None: the person is not a member."""
        found = await self.management.find_member_roles(self.id, person.id)
        return None if found is None else set(found)


async def new_office(
    make: Factory,
    open_browser: Callable[..., Awaitable[Browser]],
    name: str = "Acme",
    *,
    at: Quart | None = None,
    **people: str,
) -> Office:
    """Make an organization with a new member for each role, and sign them in: ``admin="Ada"``.

    ``at`` is a worker other than the tests' own.
    """
    organization = await make.empty_organization(name)
    members = {role: await make.member(organization.id, called, role) for role, called in people.items()}
    where = {} if at is None else {"at": at}
    browsers = {role: await open_browser(person, **where) for role, person in members.items()}
    return Office(organization.id, organization.name, members, browsers, make.management)
