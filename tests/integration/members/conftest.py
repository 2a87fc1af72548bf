"""An organization with an admin, for the tests of members."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from saas_app.members.values import Member
from saas_app.rbac.permissions import Permission
from tests.clients import Person
from tests.conftest import OpenOffice
from tests.factories import Factory
from tests.offices import Office


class Acme(Office):
    """An organization with an admin, and the paths of its members' pages."""

    @property
    def members(self) -> str:
        """The path of the list."""
        return f"{self.root}/members"

    def roles_of(self, person: Person) -> str:
        """Return the path at which a member's roles are changed."""
        return f"{self.members}/{person.id}/roles"

    def removal_of(self, person: Person) -> str:
        """Return the path at which a member is removed."""
        return f"{self.members}/{person.id}/remove"


@pytest.fixture
async def acme(open_office: OpenOffice) -> Acme:
    return Acme(**vars(await open_office(admin="Ada")))


@pytest.fixture(scope="module")
def shared_acme(shared_acme: Office) -> Acme:
    return Acme(**vars(shared_acme))


def roles_form(
    seen: Collection[str], roles: Collection[str], *, step: str = "confirm", **more: str
) -> dict[str, str | list[str]]:
    """Return the form that changes roles, as the page sends it."""
    return {"seen": ["", *seen], "roles": list(roles), "step": step, **more}


def row_of(person: Person, *roles: str) -> str:
    """Return what the checkbox of a member sends, who had these roles when the list was read."""
    member = Member(person.id, person.username, None, False, frozenset(roles), is_self=False)
    return f"{person.id}:{member.version}"


@pytest.fixture(scope="session")
async def people_manager(make: Factory) -> str:
    """A role made in Logto, unknown to the registry, that only lets its holder manage members."""
    permissions = (Permission.MEMBERS_READ, Permission.MEMBERS_UPDATE, Permission.MEMBERS_REMOVE)
    return await make.role("people-manager", *permissions)
