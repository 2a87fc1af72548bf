"""What all tests of a run share: three organizations, three roles, one API, two applications and Alice.

Tests only read it. A test that changes something creates it in its own workshop.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from contract.management import Workshop
from contract.people import App, Person

ORGANIZATIONS_SCOPE = "urn:logto:scope:organizations"
ORGANIZATION_ROLES_SCOPE = "urn:logto:scope:organization_roles"
ORGANIZATIONS_RESOURCE = "urn:logto:resource:organizations"
OIDC_SCOPES = f"openid profile offline_access email phone {ORGANIZATIONS_SCOPE} {ORGANIZATION_ROLES_SCOPE}"


@dataclass(frozen=True, slots=True)
class World:
    """Ids and names. ``alice`` is admin of ``acme`` and member of ``globex``; ``other`` has no members."""

    tag: str
    acme: str
    globex: str
    other: str
    admin: str
    member: str
    machine: str
    admin_name: str
    member_name: str
    read_members: str
    invite_members: str
    delete_org: str
    read_members_id: str
    resource: str
    resource_id: str
    read_reports: str
    write_reports: str
    read_reports_id: str
    web: App
    spa: App
    alice: Person

    @property
    def organization_scopes(self) -> set[str]:
        return {self.read_members, self.invite_members, self.delete_org}

    @property
    def everything(self) -> dict[str, str | list[str]]:
        """The authorization parameters that request every permission."""
        mine = sorted({*self.organization_scopes, self.read_reports, self.write_reports})
        return {
            "scope": " ".join([OIDC_SCOPES, *mine]),
            "resource": [self.resource, ORGANIZATIONS_RESOURCE],
        }

    @property
    def as_recorded(self) -> dict[str, str]:
        """The names of this run, and the recorded names that they replace."""
        return {
            self.resource: "https://api.example.test/reports",
            f":{self.tag}": "",
            self.web.id: "fb1yduj5ik87qkpn1my2b",
        }


async def build_world(workshop: Workshop) -> World:
    """Create what the tests share. The workshop deletes it."""
    tag = workshop.tag
    scopes = {
        name: await workshop.organization_scope(f"{name}:{tag}")
        for name in ("read:members", "invite:members", "delete:org")
    }
    resource = await workshop.resource()
    reading = await workshop.resource_scope(resource["id"], f"read:reports:{tag}")
    writing = await workshop.resource_scope(resource["id"], f"write:reports:{tag}")
    admin = await workshop.role(
        "admin",
        description="Organization admin",
        scope_ids=list(scopes.values()),
        resource_scope_ids=[reading, writing],
    )
    member = await workshop.role(
        "member",
        description="Organization member",
        scope_ids=[scopes["read:members"]],
        resource_scope_ids=[reading],
    )
    machine = await workshop.role(
        "machine",
        kind="MachineToMachine",
        scope_ids=[scopes["read:members"]],
        resource_scope_ids=[reading],
    )
    names = {}
    for role in (admin, member):
        names[role] = (await workshop.api.get(f"/organization-roles/{role}")).expect(200).body["name"]
    acme = await workshop.organization("acme", description="acme org")
    globex = await workshop.organization("globex", description="globex org")
    alice = await _alice(workshop)
    await workshop.join(acme, alice, admin)
    await workshop.join(globex, alice, member)
    return World(
        tag=tag,
        acme=acme,
        globex=globex,
        other=await workshop.organization("other", description="other org"),
        admin=admin,
        member=member,
        machine=machine,
        admin_name=names[admin],
        member_name=names[member],
        read_members=f"read:members:{tag}",
        invite_members=f"invite:members:{tag}",
        delete_org=f"delete:org:{tag}",
        read_members_id=scopes["read:members"],
        resource=resource["indicator"],
        resource_id=resource["id"],
        read_reports=f"read:reports:{tag}",
        write_reports=f"write:reports:{tag}",
        read_reports_id=reading,
        web=await workshop.application(),
        spa=await workshop.application("SPA"),
        alice=alice,
    )


async def _alice(workshop: Workshop) -> Person:
    """Create a person with every claim that the recordings contain."""
    return await workshop.person(
        "alice",
        name="Alice Probe",
        primaryEmail=workshop.email("alice"),
        primaryPhone=f"1555{secrets.randbelow(10**7):07}",
        avatar="https://example.test/a.png",
        customData={"k": "v"},
        profile={"givenName": "Alice", "familyName": "Probe"},
    )
