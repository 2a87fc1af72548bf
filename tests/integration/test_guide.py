"""The exercise of docs/rbac-guide.md works as it is written."""

from __future__ import annotations

import re

import pytest

from saas_app.rbac.permissions import Permission
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.databases import ROOT
from tests.factories import Factory

NOTE = "your token does not include them yet"


@pytest.fixture
async def acme(make: Factory) -> str:
    """Acme Robotics of the demo, with nobody in it yet."""
    return await make.organization("Acme Robotics")


@pytest.fixture
async def carol(make: Factory, acme: str) -> Person:
    """A viewer of Acme and an editor of Initech, as in the demo."""
    person = await make.person("Carol")
    await make.join(acme, person, "viewer")
    await make.join(await make.organization("Initech"), person, "editor")
    return person


@pytest.fixture
async def as_carol(open_browser: OpenBrowser, carol: Person) -> Browser:
    return await open_browser(carol)


@pytest.fixture
async def as_alice(open_browser: OpenBrowser, make: Factory, acme: str) -> Browser:
    return await open_browser(await make.member(acme, "Alice", "admin"))


async def change_roles(alice: Browser, acme: str, carol: Person, before: str, after: str) -> None:
    form = {"seen": ["", before], "roles": [after], "step": "confirm"}
    await alice.post(f"/o/{acme}/members/{carol.id}/roles", form)


async def test_the_exercise_works_as_written(
    as_carol: Browser, as_alice: Browser, acme: str, carol: Person
) -> None:
    page = await as_carol.text(f"/o/{acme}/projects")  # 1
    assert re.search(r"disabled[^>]*>.*?Create project.*?Requires the", page, re.DOTALL)
    assert "does not include projects:write" in await as_carol.text(f"/o/{acme}/projects/new", 403)

    await change_roles(as_alice, acme, carol, "viewer", "admin")  # 2

    page = await as_carol.text(f"/o/{acme}/access")  # 3
    assert 'class="held">admin' in page
    (note,) = re.findall(rf"Your role allows (.*?), but {NOTE}", page)
    assert re.findall(r"<code>(.*?)</code>", note) == ["projects:delete", "projects:export"]

    await as_carol.get(f"/o/{acme}/projects/export.csv", 303)  # 4, to Logto
    response = await as_carol.follow(f"/o/{acme}/projects/export.csv")
    assert response.headers["Content-Type"].startswith("text/csv")
    assert NOTE not in await as_carol.text(f"/o/{acme}/access")

    await change_roles(as_alice, acme, carol, "admin", "viewer")  # 5
    page = await as_carol.text(f"/o/{acme}/access")
    scopes = re.findall(r"<dt>Scopes</dt><dd[^>]*>(.*?)</dd>", page, re.DOTALL)
    assert {found for part in scopes for found in re.findall(r"<code>(.*?)</code>", part)} == {
        Permission.MEMBERS_READ,
        Permission.PROJECTS_READ,
    }


def test_the_exercise_names_the_addresses_that_the_test_opens() -> None:
    guide = (ROOT / "docs/rbac-guide.md").read_text(encoding="utf-8")
    exercise = guide.split("## Exercise")[1].split("\n## ")[0]

    assert set(re.findall(r"`/o/<id>(/[^`]+)`", exercise)) == {
        "/projects/new",
        "/access",
        "/projects/export.csv",
    }
