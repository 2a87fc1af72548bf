"""People, organizations and what belongs to them, made at the provider through its Management API."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from saas_app.logto import ManagementClient, OrganizationInfo
from saas_app.rbac.permissions import Permission, Role
from tests.clients import Machine, Person

PASSWORD = "Workroom-test-1"


def address_of(person: Person) -> str:
    """Return the email address that the factory gives an account."""
    return f"{person.username}@example.test"


def new_address() -> str:
    """Return an email address that no account has."""
    return f"new_{secrets.token_hex(5)}@example.test"


@dataclass(frozen=True, slots=True)
class Factory:
    """A factory for what a test needs, under names that no other test uses."""

    management: ManagementClient

    async def person(self, name: str = "Sam", *, domain: str = "example.test") -> Person:
        """Make an account with a password and a verified email address."""
        username = f"{name.lower()}_{secrets.token_hex(5)}"
        user = await self.management.create_user(
            username=username, email=f"{username}@{domain}", name=name, password=PASSWORD
        )
        return Person(user.id, username, PASSWORD)

    async def empty_organization(self, name: str = "Acme") -> OrganizationInfo:
        """Make an organization without members. Its name begins with ``name``."""
        return await self.management.create_organization(f"{name} {secrets.token_hex(3)}")

    async def organization(self, name: str = "Acme", **members: Person) -> str:
        """Make an organization and return its id. Its members are given by role: ``admin=alice``."""
        organization = await self.empty_organization(name)
        for role, person in members.items():
            await self.join(organization.id, person, Role(role))
        return organization.id

    async def member(self, organization_id: str, name: str, *roles: str) -> Person:
        """Make a person who is a member with these roles."""
        person = await self.person(name)
        await self.join(organization_id, person, *roles)
        return person

    async def join(self, organization_id: str, person: Person, *roles: str) -> None:
        """Make a person a member with these roles: roles of the registry, or names of others in Logto."""
        await self.management.add_members(organization_id, [person.id])
        if roles:
            await self.give_roles(organization_id, person, *roles)

    async def give_roles(self, organization_id: str, person: Person, *roles: str) -> None:
        """Replace a member's roles in Logto Console. Nothing notifies the application."""
        await self.management.replace_roles(organization_id, person.id, roles)

    async def role(self, name: str, *permissions: Permission) -> str:
        """Make a role with these permissions that the registry does not know. Return its name."""
        scopes = {scope.name: scope.id for scope in await self.management.list_organization_scopes()}
        role = await self.management.create_organization_role(name, "Made by a test", "User")
        await self.management.replace_role_scopes(role.id, [scopes[wanted.value] for wanted in permissions])
        return role.name

    async def rename_role(self, name: str, new_name: str) -> None:
        """Give a role another name in Logto Console."""
        roles = await self.management.list_organization_roles()
        role_id = next(role.id for role in roles if role.name == name)
        path = f"/organization-roles/{role_id}"
        await self.management._transport.call("PATCH", path, body={"name": new_name})

    async def machine(
        self, organization_id: str, name: str = "Robot", description: str = "", role: Role = Role.INTEGRATION
    ) -> Machine:
        """Make an API client with a machine role in Logto Console."""
        created = await self.management.create_machine(name, description, custom_data={})
        (secret,) = await self.management.list_secrets(created.id)
        await self.management.add_machine(organization_id, created.id)
        roles = await self.management.list_organization_roles()
        role_id = next(known.id for known in roles if known.name == role.value)
        await self.management.assign_machine_roles(organization_id, created.id, [role_id])
        return Machine(created.id, secret.value)

    async def invitation(self, organization_id: str, *, days: int = 7) -> str:
        """Make a pending invitation for a new address and return its id."""
        invitation = await self.management.create_invitation(
            organization_id,
            new_address(),
            role_ids=[],
            expires_at=int((time.time() + days * 86400) * 1000),
        )
        return invitation.id
