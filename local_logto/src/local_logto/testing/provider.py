"""The provider for tests: a separate process on a free port, with its own data."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from local_logto.testing.browser import Browser
from local_logto.testing.management import ManagementApi
from local_logto.testing.people import Application, Machine, Message, Organization, Person
from local_logto.testing.processes import free_port, running, wait_for
from local_logto.testing.transport import expect, send

PASSWORD: Final = "Local-logto-test-1"
_PAGE: Final = "page_size=100"


@dataclass(frozen=True, slots=True)
class Provider:
    """A running provider, and what a test creates there. Names are unique, so that tests don't interfere."""

    endpoint: str
    management_app_id: str
    management_app_secret: str = field(repr=False)
    data_dir: Path
    pid: int
    management: ManagementApi

    @property
    def issuer(self) -> str:
        return f"{self.endpoint}/oidc"

    @property
    def environment(self) -> dict[str, str]:
        """The environment that a program needs for the Management API, named as by ``local-logto
        credentials``.
        """
        return {
            "LOGTO_ENDPOINT": self.endpoint,
            "LOGTO_MANAGEMENT_APP_ID": self.management_app_id,
            "LOGTO_MANAGEMENT_APP_SECRET": self.management_app_secret,
        }

    def person(self, name: str = "Sam", *, password: str = PASSWORD) -> Person:
        """Create an account with a username, a verified email address and a password."""
        username = _unique(name.lower().replace(" ", "_"), "_")
        email = f"{username}@example.test"
        values = {"name": name, "username": username, "primaryEmail": email, "password": password}
        return Person(self._made("/users", **values), username, password, email)

    def organization(self, name: str = "Acme", /, **members: Person | Iterable[Person]) -> Organization:
        """Create an organization with members by role: ``organization("Acme", admin=alice)``."""
        full_name = _unique(name, " ")
        organization = Organization(self._made("/organizations", name=full_name), full_name)
        for role, people in members.items():
            for person in [people] if isinstance(people, Person) else people:
                self.join(organization, person, role)
        return organization

    def join(self, organization: Organization, person: Person, *roles: str) -> None:
        """Add a person to an organization with exactly these roles."""
        members = f"/organizations/{organization.id}/users"
        self.management.call("POST", members, {"userIds": [person.id]})
        self.management.call("PUT", f"{members}/{person.id}/roles", {"organizationRoleNames": roles})

    def leave(self, organization: Organization, person: Person) -> None:
        """Remove a person from an organization."""
        self.management.call("DELETE", f"/organizations/{organization.id}/users/{person.id}")

    def role(self, name: str, *permissions: str, for_machines: bool = False) -> None:
        """Create an organization role, and those of its permissions that don't exist yet."""
        known = self._ids_by_name("/organization-scopes")
        self._made(
            "/organization-roles",
            name=name,
            type="MachineToMachine" if for_machines else "User",
            organizationScopeIds=[
                known.get(permission) or self._made("/organization-scopes", name=permission)
                for permission in permissions
            ],
        )

    def group(self, name: str, *people: Person) -> None:
        """Create a role of the whole tenant, and give it to people. The claim ``roles`` names it.

        A product that this provider signs people in to can treat it as a group of the company. It has to ask
        for the scope ``roles``.
        """
        made = self._made("/roles", name=name, description=name)
        for person in people:
            self.management.call("POST", f"/users/{person.id}/roles", {"roleIds": [made]})

    def application(self, redirect_uri: str, name: str = "Web") -> Application:
        """Register a web application that signs people in."""
        metadata = {"redirectUris": [redirect_uri], "postLogoutRedirectUris": []}
        made = self._made("/applications", name=name, type="Traditional", oidcClientMetadata=metadata)
        return Application(made, self._secret_of(made))

    def machine(self, organization: Organization, *roles: str) -> Machine:
        """Register a machine-to-machine application that belongs to an organization with these roles."""
        made = self._made("/applications", name="Machine", type="MachineToMachine")
        known = self._ids_by_name("/organization-roles")
        programs = f"/organizations/{organization.id}/applications"
        self.management.call("POST", programs, {"applicationIds": [made]})
        role_ids = [known[role] for role in roles]
        self.management.call("POST", f"{programs}/{made}/roles", {"organizationRoleIds": role_ids})
        return Machine(made, self._secret_of(made))

    def connect(self, company: Provider, *domains: str, scope: str = "") -> str:
        """Let people with addresses of these domains sign in at another provider. Returns the connector's ID.

        Turns single sign-on on. The connector's name on the pages is the company's host. ``scope`` is what to
        ask of the company besides ``openid profile email``.
        """
        client = company.application(f"{self.endpoint}/callback/*", name="Product")
        config = {"clientId": client.id, "clientSecret": client.secret, "issuer": company.issuer}
        if scope:
            config["scope"] = scope
        values = {"providerName": "OIDC", "connectorName": _unique("Company", " "), "domains": domains}
        self.management.call("PATCH", "/sign-in-exp", {"singleSignOnEnabled": True})
        return self._made("/sso-connectors", **values, config=config)

    def sign_in(self, authorization_url: str, person: Person, *, at: Provider | None = None) -> str:
        """Sign a person in from a new browser. Returns the callback URL, with ``code`` and ``state``.

        ``at`` is the company where the person signs in, if the request goes there: it contains
        ``direct_sign_in=sso:<connector ID>``.
        """
        browser = Browser(self.endpoint)
        if at is None:
            return browser.sign_in(authorization_url, person)
        return browser.leave(at.sign_in(browser.leave(authorization_url), person))

    def messages(self, recipient: str) -> list[Message]:
        """Return the messages to an email address or a phone number, newest first."""
        url = f"{self.endpoint}/messages?recipient={quote(recipient, safe='')}"
        reply = expect(send("GET", url, headers={"Accept": "application/json"}), "GET /messages", 200)
        return [Message(**message) for message in reply.json]

    def _made(self, path: str, **values: object) -> str:
        """Create an entity with POST. Returns its ID."""
        return str(self.management.call("POST", path, values)["id"])

    def _ids_by_name(self, path: str) -> dict[str, str]:
        entities: list[dict[str, Any]] = self.management.call("GET", f"{path}?{_PAGE}")
        return {entity["name"]: entity["id"] for entity in entities}

    def _secret_of(self, application_id: str) -> str:
        return str(self.management.call("GET", f"/applications/{application_id}/secrets")[0]["value"])


@contextlib.contextmanager
def running_provider(data_dir: Path, *, host: str = "localhost", **extra: str) -> Iterator[Provider]:
    """Run a provider until the block ends. ``extra`` is added to its environment (``LOCAL_LOGTO_…``).

    Browsers share cookies between the ports of a host. A browser that visits two providers needs two hosts,
    such as ``localhost`` and ``127.0.0.1``.
    """
    port, app_id, secret = free_port(), "management-test", secrets.token_hex(16)
    endpoint = f"http://{host}:{port}"
    environment = {
        **os.environ,
        "LOCAL_LOGTO_ENDPOINT": endpoint,
        "LOCAL_LOGTO_MANAGEMENT_APP_ID": app_id,
        "LOCAL_LOGTO_MANAGEMENT_APP_SECRET": secret,
        **extra,
    }
    command = [
        sys.executable, "-m", "local_logto", "serve",
        "--host", "127.0.0.1", "--port", str(port), "--data-dir", str(data_dir),
    ]  # fmt: skip
    log = data_dir / "provider.log"
    with running(command, environment, log) as process:
        wait_for(f"{endpoint}/api/status", 204, process, log)
        management = ManagementApi(endpoint, app_id, secret)
        yield Provider(endpoint, app_id, secret, data_dir, process.pid, management)


def _unique(name: str, separator: str) -> str:
    return f"{name}{separator}{secrets.token_hex(5)}"
