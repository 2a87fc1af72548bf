"""A site with demo people, whose pages visitors can see: Alice, an admin of Acme, and Carol, a viewer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from saas_app.logto.client import connect
from saas_app.rbac.permissions import Role
from tests.browser.site import Site
from tests.clients import Person
from tests.databases import migrated_database
from tests.factories import Factory
from tests.processes import running_application, running_provider
from tests.settings import management_settings


@dataclass(frozen=True, slots=True)
class PersonasSite:
    """The site, the organization, and its members."""

    site: Site
    acme: str
    alice: Person
    carol: Person


@asynccontextmanager
async def open_personas_site(directory: Path) -> AsyncIterator[PersonasSite]:
    """Start everything, until the block ends. The people exist before the application reads their file."""
    people_file = directory / "people.json"
    with ExitStack() as stack:
        provider = stack.enter_context(running_provider(directory))
        database = stack.enter_context(migrated_database(directory))
        lab = {"LAB": "true", "LAB_PEOPLE_FILE": str(people_file)}
        application = stack.enter_context(running_application(provider, database, directory, **lab))
        async with connect(management_settings(provider)) as management:
            make = Factory(management)
            acme = await make.organization("Acme")
            alice, carol = (
                await make.member(acme, "Alice", Role.ADMIN),
                await make.member(acme, "Carol", Role.VIEWER),
            )
        people = {"Alice": (alice, "admin of Acme"), "Carol": (carol, "viewer of Acme")}
        entries = [
            {"identifier": person.username, "password": person.password, "name": name, "hint": hint}
            for name, (person, hint) in people.items()
        ]
        people_file.write_text(json.dumps(entries), encoding="utf-8")
        yield PersonasSite(Site(application.url, management_settings(provider)), acme, alice, carol)
