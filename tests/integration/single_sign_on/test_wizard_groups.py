"""An admin maps groups at the provider to roles."""

from __future__ import annotations

import pytest

from saas_app.single_sign_on.values import GroupRole
from tests.clients import FRESH
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.single_sign_on.wizard import Wizard


async def test_groups_are_mapped_to_roles(begun: Wizard) -> None:
    rows = {"claim": "groups", "group": ["Staff", "", "Leads"], "role": ["viewer", "", "admin"]}

    await begun.send("groups", rows)

    connection = await begun.company.connection()
    assert connection.group_claim == "groups"
    assert connection.group_roles == (GroupRole("Staff", "viewer"), GroupRole("Leads", "admin"))
    assert 'value="Leads"' in await begun.text()


async def test_emptied_groups_are_dropped(begun: Wizard) -> None:
    await begun.send("groups", {"claim": "groups", "group": ["Staff"], "role": ["viewer"]})

    await begun.send("groups", {"claim": "", "group": [""], "role": ["viewer"]})

    connection = await begun.company.connection()
    assert (connection.group_claim, connection.group_roles) == ("", ())


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"claim": "", "group": "Staff", "role": "viewer"}, "Enter the claim that holds the groups."),
        ({"claim": "groups", "group": "Staff", "role": ""}, "Choose a role for each group."),
        ({"claim": "groups", "group": "Staff", "role": "support"}, "Choose a role for each group."),
        ({"claim": "groups", "group": "x" * 257, "role": "viewer"}, "at most 256 characters for a group"),
        ({"claim": "x" * 65, "group": "Staff", "role": "viewer"}, "Use at most 64 characters."),
        (
            {"claim": "groups", "group": [f"g{n}" for n in range(51)], "role": ["viewer"] * 51},
            "Enter at most 50 groups.",
        ),
    ],
)
async def test_a_wrong_mapping_is_rejected(begun: Wizard, form: dict[str, str], problem: str) -> None:
    page = await begun.send("groups", form, 422)

    assert problem in page
    assert (await begun.company.connection()).group_roles == ()


async def test_nobody_maps_a_group_to_a_role_that_they_cannot_assign(
    begun: Wizard, make: Factory, open_browser: OpenBrowser, steward: str
) -> None:
    browser = await open_browser()
    await browser.sign_in(await make.member(begun.company.id, "Stella", steward), FRESH)

    await browser.post(f"{begun.path}/groups", {"claim": "groups", "group": "x", "role": "admin"}, 403)

    assert (await begun.company.connection()).group_roles == ()


async def test_nobody_drops_a_role_from_the_mapping_that_they_cannot_assign(
    begun: Wizard, make: Factory, open_browser: OpenBrowser, steward: str
) -> None:
    await begun.company.change(group_claim="groups", group_roles=[["Leads", "admin"]])
    browser = await open_browser()
    await browser.sign_in(await make.member(begun.company.id, "Stella", steward), FRESH)

    await browser.post(f"{begun.path}/groups", {"claim": ""}, 403)

    assert (await begun.company.connection()).group_roles == (GroupRole("Leads", "admin"),)
