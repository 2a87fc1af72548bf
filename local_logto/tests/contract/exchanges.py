"""Token exchanges, as an application that may act for people sends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contract.client import Reply
from contract.management import ManagementApi, Workshop
from contract.oidc import Oidc
from contract.people import App, Person
from contract.world import World

IMPERSONATION = "urn:logto:token-type:impersonation_token"
PERSONAL_ACCESS_TOKEN = "urn:logto:token-type:personal_access_token"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ALLOWED = {"customClientMetadata": {"allowTokenExchange": True}}


@dataclass(frozen=True, slots=True)
class Exchanger:
    """An application that exchanges tokens."""

    api: ManagementApi
    oidc: Oidc
    app: App

    async def exchange(self, token: str, kind: str = IMPERSONATION, **form: str | Sequence[str]) -> Reply:
        """Exchange a token of this type. ``form`` has the other parameters."""
        grant = "urn:ietf:params:oauth:grant-type:token-exchange"
        fields = {"subject_token": token, "subject_token_type": kind, **form}
        return await self.oidc.token(self.app, grant_type=grant, **fields)

    async def act_as(self, person: Person, **form: str | Sequence[str]) -> Reply:
        """Exchange a new subject token of this person."""
        return await self.exchange(await self.subject_token(person), **form)

    async def subject_token(self, person: Person) -> str:
        reply = await self.api.post("/subject-tokens", {"userId": person.id})
        token: str = reply.expect(201).body["subjectToken"]
        return token


@dataclass(frozen=True, slots=True)
class Customer:
    """A person who may read members and reports in an organization that only this test uses."""

    person: Person
    organization: str


async def new_customer(workshop: Workshop, world: World) -> Customer:
    person = await workshop.person("customer", name="Cus Tomer", primaryEmail=workshop.email("customer"))
    organization = await workshop.organization()
    await workshop.join(organization, person, world.member)
    return Customer(person, organization)


def recorded_scopes(world: World, tag: str) -> dict[str, str]:
    """Return what this run's permissions are called in recordings with this tag."""
    return {
        world.read_members: f"xr:{tag}",
        world.read_reports: f"xread:{tag}",
        world.write_reports: f"xwrite:{tag}",
    }


TARGETS = ("organization", "resource", "organization-resource")


def form_for(target: str, customer: Customer, world: World) -> dict[str, str]:
    """Return the parameters that request a token for one of the targets. The customer may read only."""
    in_organization = {"organization_id": customer.organization}
    for_resource = {"resource": world.resource, "scope": f"{world.read_reports} {world.write_reports}"}
    forms = {
        "organization": {**in_organization, "scope": f"{world.read_members} {world.invite_members}"},
        "resource": for_resource,
        "organization-resource": {**in_organization, **for_resource},
    }
    return forms[target]
