"""People and organizations for tests, made at the provider through its Management API."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Role
from tests.clients import Machine, Person

PASSWORD = "Workroom-test-1"


@dataclass(frozen=True, slots=True)
class Factory:
    """Makes what a test needs, under names nothing else has."""

    management: ManagementClient

    async def person(self, name: str = "Sam") -> Person:
        """An account with a password and a verified email address."""
        username = f"{name.lower()}_{secrets.token_hex(5)}"
        user = await self.management.create_user(
            username=username, email=f"{username}@example.test", name=name, password=PASSWORD
        )
        return Person(user.id, username, PASSWORD)

    async def organization(self, name: str = "Acme", **members: Person) -> str:
        """An organization whose members are given by role: ``organization("Acme", admin=alice)``."""
        organization = await self.management.create_organization(f"{name} {secrets.token_hex(3)}")
        for role, person in members.items():
            await self.join(organization.id, person, Role(role))
        return organization.id

    async def join(self, organization_id: str, person: Person, *roles: Role) -> None:
        """Make somebody a member with these roles."""
        await self.management.add_members(organization_id, [person.id])
        if roles:
            await self.give_roles(organization_id, person, *roles)

    async def give_roles(self, organization_id: str, person: Person, *roles: Role) -> None:
        """Replace a member's roles, as somebody would in Logto's console: the application hears nothing."""
        await self.management.replace_roles(organization_id, person.id, [role.value for role in roles])

    async def machine(self, organization_id: str) -> Machine:
        """A machine client of an organization with the machine role, as made in Logto's console."""
        created = await self.management.create_machine("Robot", "", custom_data={})
        (secret,) = await self.management.list_secrets(created.id)
        await self.management.add_machine(organization_id, created.id)
        roles = await self.management.list_organization_roles()
        role_id = next(role.id for role in roles if role.name == Role.INTEGRATION.value)
        await self.management.assign_machine_roles(organization_id, created.id, [role_id])
        return Machine(created.id, secret.value)

    async def invitation(self, organization_id: str, *, days: int = 7) -> str:
        """A pending invitation of nobody in particular, and its id."""
        invitation = await self.management.create_invitation(
            organization_id,
            f"{secrets.token_hex(5)}@example.test",
            role_ids=[],
            expires_at=int((time.time() + days * 86400) * 1000),
        )
        return invitation.id
