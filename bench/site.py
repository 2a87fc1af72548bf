"""The programs that are measured: the provider and the application, on free ports."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from bench.checkouts import Checkout, this_checkout
from saas_app.config import ManagementSettings
from saas_app.operations.env_file import read_env_file
from saas_app.rbac.permissions import Carrier, permissions_carried_by
from tests.clients import Machine
from tests.databases import Database, empty_database_at, with_roles
from tests.processes import Provider, running_application, running_provider
from tests.settings import management_settings

_RATES: Final = ("CLIENT", "USER", "ORGANIZATION", "ADDRESS")
_NEVER_REACHED: Final = "100000000/minute"


@dataclass(frozen=True, slots=True)
class Site:
    """The application, its process and its settings, and the Logto behind it."""

    url: str
    pid: int
    env_file: Path
    settings: Mapping[str, str]  # those that are not in the file
    provider: Provider

    @property
    def environment(self) -> dict[str, str]:
        """The settings that ``saas-app provision`` wrote for the application."""
        return read_env_file(self.env_file)

    @property
    def management(self) -> ManagementSettings:
        """How to manage the application's Logto."""
        return management_settings(self.provider)

    async def token_of(self, machine: Machine, organization_id: str) -> str:
        """Return a bearer token of an API client, for an organization and all it may do there."""
        scopes = (permission.value for permission in permissions_carried_by(Carrier.API_TOKEN))
        form = {
            "grant_type": "client_credentials",
            "resource": self.environment["LOGTO_API_RESOURCE"],
            "organization_id": organization_id,
            "scope": " ".join(scopes),
        }
        headers = {"Authorization": aiohttp.encode_basic_auth(machine.id, machine.secret)}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.provider.issuer}/token", data=form, headers=headers) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["access_token"])


@contextmanager
def running_site(
    checkout: Checkout | None = None, server: str | None = None, **settings: str
) -> Iterator[Site]:
    """Run the code of a checkout, by default this one, and a provider until the block ends.

    The application's database is new, on the PostgreSQL ``server``, or a SQLite file without one. Rate limits
    count, but are never reached. ``settings`` are additional environment variables of the application.
    """
    checkout = checkout or this_checkout()
    extra = {**{f"RATE_LIMIT_{what}": _NEVER_REACHED for what in _RATES}, **checkout.environment, **settings}
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with (
            running_provider(directory / "provider") as provider,
            empty_database_at(server, directory) as url,
            _roles_for(checkout, url) as database,
            running_application(
                provider, database, directory, python=checkout.python, **extra
            ) as application,
        ):
            yield Site(application.url, application.pid, application.env_file, extra, provider)


def _roles_for(checkout: Checkout, url: str) -> AbstractContextManager[Database]:
    """Return the database with its roles, or with one role for all if the checkout knows no other."""
    knows_roles = (checkout.path / "saas_app/operations/database/roles.py").exists()
    return with_roles(url) if knows_roles else nullcontext(Database(url, url, url, url))
