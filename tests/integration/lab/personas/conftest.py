"""Ada, an admin, with the demo people Vic, a viewer, and Ed, an editor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients import Person
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.integration.lab.personas.scene import Scene, WritePeople


@pytest.fixture
async def people(make: Factory) -> tuple[str, dict[str, Person]]:
    """An organization and its members, by name."""
    organization_id = await make.organization("Acme")
    roles = {"Ada": "admin", "Vic": "viewer", "Ed": "editor"}
    return organization_id, {
        name: await make.member(organization_id, name, role) for name, role in roles.items()
    }


@pytest.fixture
def write_people(tmp_path: Path) -> WritePeople:
    """``write_people(vic, ed)``: a file of demo people like the one of ``make demo``."""

    def write(*people: Person) -> Path:
        entries = [
            {
                "identifier": person.username,
                "password": person.password,
                "name": person.username.partition("_")[0].title(),
                "hint": "viewer of Acme",
                "hints": {"es": "viewer de Acme"},
            }
            for person in people
        ]
        file = tmp_path / "people.json"
        file.write_text(json.dumps(entries), encoding="utf-8")
        return file

    return write


@pytest.fixture
async def scene(
    people: tuple[str, dict[str, Person]],
    write_people: WritePeople,
    open_app: OpenApp,
    open_browser: OpenBrowser,
    make: Factory,
) -> Scene:
    organization_id, members = people
    app = await open_app(lab_people_file=write_people(*members.values()))
    ada, vic, ed = members["Ada"], members["Vic"], members["Ed"]
    return Scene(app, organization_id, ada, vic, ed, await open_browser(ada, at=app), make)
