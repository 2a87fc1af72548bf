"""A client of the Management API, and a workshop that deletes everything it creates."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from contract.client import Reply, read_reply
from contract.people import AFTER_SIGN_OUT, CALLBACK, App, Person

DEFAULT_RESOURCE = "https://default.logto.app/api"


@dataclass(frozen=True, slots=True)
class ManagementCredentials:
    """Where to get a Management API token, and the resource to request it for."""

    token_endpoint: str
    app_id: str
    app_secret: str
    resource: str = DEFAULT_RESOURCE


class ManagementApi:
    """Calls below ``/api``. The replies are not checked: the caller says what it expects."""

    def __init__(self, http: aiohttp.ClientSession, endpoint: str, token: str) -> None:
        self._http = http
        self._endpoint = endpoint
        self.token = token

    async def send(
        self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None
    ) -> Reply:
        url = URL(f"{self._endpoint}/api{path}", encoded=True).update_query(query or {})
        headers = {"Authorization": f"Bearer {self.token}"}
        options: dict[str, Any] = {} if body is None else {"json": body}
        async with self._http.request(method, url, headers=headers, **options) as response:
            return await read_reply(response)

    async def get(self, path: str, **query: str) -> Reply:
        return await self.send("GET", path, query=query)

    async def post(self, path: str, body: object) -> Reply:
        return await self.send("POST", path, body)

    async def put(self, path: str, body: object) -> Reply:
        return await self.send("PUT", path, body)

    async def patch(self, path: str, body: object) -> Reply:
        return await self.send("PATCH", path, body)

    async def delete(self, path: str) -> Reply:
        return await self.send("DELETE", path)


async def management_token(http: aiohttp.ClientSession, credentials: ManagementCredentials) -> str:
    """Return an access token with the scope ``all`` for the Management API."""
    headers = {"Authorization": aiohttp.encode_basic_auth(credentials.app_id, credentials.app_secret)}
    form = {"grant_type": "client_credentials", "resource": credentials.resource, "scope": "all"}
    async with http.post(credentials.token_endpoint, data=form, headers=headers) as response:
        reply = await read_reply(response)
    token: str = reply.expect(200).body["access_token"]
    return token


@dataclass(slots=True)
class Workshop:
    """A factory for organizations, people and more with unique names. It deletes them when it closes."""

    api: ManagementApi
    tag: str = field(default_factory=lambda: secrets.token_hex(4))
    _paths: list[str] = field(default_factory=list)
    _serial: int = 0

    def unique(self, name: str) -> str:
        """Return a name that no other test uses, of letters, digits and underscores."""
        self._serial += 1
        return f"{name}_{self.tag}_{self._serial}"

    def will_delete(self, path: str) -> None:
        """Delete ``path`` when the workshop closes. It may already be gone by then."""
        self._paths.append(path)

    async def close(self) -> None:
        """Delete what was created, newest first."""
        for path in reversed(self._paths):
            reply = await self.api.delete(path)
            assert reply.status in (204, 404), f"{path}: {reply.status} {reply.body!r}"

    async def post(self, path: str, body: object) -> Reply:
        """Post to a collection and return the reply. The workshop deletes what the request created."""
        reply = await self.api.post(path, body)
        if reply.status in (200, 201):
            self.will_delete(f"{path}/{reply.body['id']}")
        return reply

    async def _make(self, path: str, body: object, status: int) -> dict[str, Any]:
        entity: dict[str, Any] = (await self.post(path, body)).expect(status).body
        return entity

    async def organization(self, name: str = "organization", /, **values: object) -> str:
        """Create an organization and return its id."""
        entity = await self._make("/organizations", {"name": self.unique(name), **values}, 201)
        identifier: str = entity["id"]
        return identifier

    async def person(self, name: str = "person", /, **values: Any) -> Person:
        """Create a person with a username, a password and the given values."""
        username = self.unique(name)
        password = f"Heron-{secrets.token_hex(6)}-Quay"
        entity = await self._make("/users", {"username": username, "password": password, **values}, 200)
        return Person(
            entity["id"], username, password, entity["primaryEmail"] or "", entity["primaryPhone"] or ""
        )

    def email(self, name: str = "person") -> str:
        return f"{self.unique(name)}@example.test"

    async def application(self, kind: str = "Traditional", **values: Any) -> App:
        """Register an application. A confidential one comes with its first secret."""
        body: dict[str, Any] = {"name": self.unique("application"), "type": kind, **values}
        if kind != "MachineToMachine":
            addresses = {"redirectUris": [CALLBACK], "postLogoutRedirectUris": [AFTER_SIGN_OUT]}
            body["oidcClientMetadata"] = {**addresses, **values.get("oidcClientMetadata", {})}
        identifier = (await self._make("/applications", body, 200))["id"]
        if kind in ("SPA", "Native"):
            return App(identifier)
        stored = (await self.api.get(f"/applications/{identifier}/secrets")).expect(200).body
        return App(identifier, stored[0]["value"])

    async def organization_scope(self, name: str) -> str:
        entity = await self._make("/organization-scopes", {"name": name, "description": name}, 201)
        identifier: str = entity["id"]
        return identifier

    async def role(
        self,
        name: str = "role",
        *,
        kind: str = "User",
        description: str | None = None,
        scope_ids: Sequence[str] = (),
        resource_scope_ids: Sequence[str] = (),
    ) -> str:
        """Create an organization role with these permissions and return its id."""
        body: dict[str, object] = {
            "name": self.unique(name),
            "type": kind,
            "organizationScopeIds": list(scope_ids),
            "resourceScopeIds": list(resource_scope_ids),
        }
        if description is not None:
            body["description"] = description
        identifier: str = (await self._make("/organization-roles", body, 201))["id"]
        return identifier

    async def resource(self, **values: object) -> dict[str, Any]:
        """Create an API resource with a unique indicator."""
        name = self.unique("resource")
        body = {"name": name, "indicator": f"https://{name.replace('_', '-')}.example.test/reports", **values}
        return await self._make("/resources", body, 201)

    async def resource_scope(self, resource_id: str, name: str) -> str:
        """Create a scope and return its id. It is deleted together with its resource."""
        body = {"name": name, "description": name}
        entity = (await self.api.post(f"/resources/{resource_id}/scopes", body)).expect(201).body
        identifier: str = entity["id"]
        return identifier

    async def hook(self, **values: object) -> dict[str, Any]:
        """Register a webhook for ``User.Created`` unless ``values`` say otherwise."""
        body = {
            "name": self.unique("hook"),
            "events": ["User.Created"],
            "config": {"url": "http://127.0.0.1:9/"},
            **values,
        }
        return await self._make("/hooks", body, 201)

    async def adopt_user(self, username: str) -> dict[str, Any]:
        """Find the account that a sign-up created, so that the workshop deletes it."""
        query = {"search.username": username, "mode.username": "exact"}
        user: dict[str, Any] = (await self.api.get("/users", **query)).expect(200).body[0]
        self.will_delete(f"/users/{user['id']}")
        return user

    async def join(self, organization_id: str, person: Person, *role_ids: str) -> None:
        """Make ``person`` a member with exactly these roles."""
        members = f"/organizations/{organization_id}/users"
        (await self.api.post(members, {"userIds": [person.id]})).expect(201)
        await self.set_roles(organization_id, person, *role_ids)

    async def join_machine(self, organization_id: str, machine: App, *role_ids: str) -> None:
        """Make a machine application a member with exactly these roles."""
        members = f"/organizations/{organization_id}/applications"
        (await self.api.post(members, {"applicationIds": [machine.id]})).expect(201)
        if role_ids:
            roles = {"organizationRoleIds": list(role_ids)}
            (await self.api.post(f"{members}/{machine.id}/roles", roles)).expect(201)

    async def set_roles(self, organization_id: str, person: Person, *role_ids: str) -> None:
        path = f"/organizations/{organization_id}/users/{person.id}/roles"
        (await self.api.put(path, {"organizationRoleIds": list(role_ids)})).expect(204)

    async def leave(self, organization_id: str, person: Person) -> None:
        (await self.api.delete(f"/organizations/{organization_id}/users/{person.id}")).expect(204)


def quoted(value: str) -> str:
    """Encode a value as one segment of a path."""
    return quote(value, safe="")
