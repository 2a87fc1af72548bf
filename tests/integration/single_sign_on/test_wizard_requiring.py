"""An admin requires single sign-on, after seeing whom that locks out."""

from __future__ import annotations

import pytest

from saas_app.rbac.permissions import Role
from saas_app.single_sign_on.outsiders import list_outsiders
from saas_app.single_sign_on.values import Stage
from tests.clients import Person
from tests.factories import Factory
from tests.integration.single_sign_on.company import new_domain
from tests.integration.single_sign_on.wizard import Wizard


async def test_the_preview_names_members_without_an_address_at_the_domains(on: Wizard, make: Factory) -> None:
    await make.member(on.company.id, "Oscar", Role.VIEWER)

    page = await on.browser.text(f"{on.path}/require")

    assert "1 member has no email address at the domains" in page
    assert "Oscar" in page


async def test_the_preview_says_that_nobody_is_locked_out(on: Wizard) -> None:
    assert "Nobody: every member has an email address at the domains." in await on.browser.text(
        f"{on.path}/require"
    )


async def test_the_first_members_of_a_large_organization_are_counted(
    on: Wizard, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas_app.single_sign_on.outsiders._PAGE", 1)
    monkeypatch.setattr("saas_app.single_sign_on.outsiders._MOST_PAGES", 2)
    for name in ("Olga", "Oscar"):
        await make.member(on.company.id, name, Role.VIEWER)

    found = await list_outsiders(on.company.management, on.company.id, {on.company.domain})

    assert (found.is_partial, found.count >= 1) == (True, True)


async def test_requiring_it_stores_the_recovery_admin(on: Wizard) -> None:
    await on.send("require", {"recovery": on.company.admin.id})

    connection = await on.company.connection()
    assert (connection.stage, connection.recovery_id) == (Stage.REQUIRED, on.company.admin.id)
    (event,) = await on.events()
    assert (event.action, event.after) == ("sso.require", {"recovery": "Ada"})
    assert "Ada is the recovery admin" in await on.text()


async def test_requiring_it_again_records_nothing(on: Wizard) -> None:
    await on.send("require", {"recovery": on.company.admin.id})

    await on.send("require", {"recovery": on.company.admin.id})

    assert await on.actions() == ["sso.require"]


async def test_another_recovery_admin_can_be_chosen(on: Wizard, make: Factory) -> None:
    second = await make.member(on.company.id, "Zoe", Role.ADMIN)
    await on.send("require", {"recovery": on.company.admin.id})

    await on.send("require", {"recovery": second.id})

    assert (await on.company.connection()).recovery_id == second.id


@pytest.mark.parametrize("who", ["nobody", "viewer", ""])
async def test_a_recovery_admin_must_be_an_admin(on: Wizard, make: Factory, who: str) -> None:
    viewer = await make.member(on.company.id, "Vera", Role.VIEWER)

    await on.send("require", {"recovery": viewer.id if who == "viewer" else who}, 422)

    assert (await on.company.connection()).stage is Stage.ON


async def test_it_is_not_required_while_it_is_off(tested: Wizard) -> None:
    page = await tested.send("require", {"recovery": tested.company.admin.id}, 422)

    assert "Turn single sign-on on first." in page
    assert (await tested.company.connection()).required_at is None


async def test_it_is_not_required_untested(on: Wizard) -> None:
    await on.company.change(tested_at=None)

    assert "Test the connection first." in await on.send("require", {"recovery": on.company.admin.id}, 422)
    assert (await on.company.connection()).required_at is None


async def test_it_is_not_required_without_a_proved_domain(on: Wizard) -> None:
    await on.company.lose()

    await on.send("require", {"recovery": on.company.admin.id}, 422)

    assert (await on.company.connection()).required_at is None


async def test_without_a_connection_nothing_is_required(wizard: Wizard) -> None:
    await wizard.browser.get(f"{wizard.path}/require", 409)


async def test_it_can_be_made_optional(on: Wizard) -> None:
    await on.send("require", {"recovery": on.company.admin.id})

    await on.send("optional")

    assert (await on.company.connection()).stage is Stage.ON
    assert (await on.actions())[-1] == "sso.stop-requiring"


async def test_making_it_optional_again_records_nothing(on: Wizard) -> None:
    await on.send("optional")

    assert await on.actions() == []


async def test_the_recovery_admin_keeps_another_way_in_when_domains_are_added(
    on: Wizard, make: Factory
) -> None:
    second = await on.company.hold(new_domain())
    body = {"name": "Zoe", "primaryEmail": f"zoe@{second}"}
    made = await on.company.management._transport.call("POST", "/users", body=body)
    zoe = Person(made.body["id"], "", "")
    await make.join(on.company.id, zoe, Role.ADMIN)
    await on.company.change(recovery_id=zoe.id)

    page = await on.send("domains", {"domains": [on.company.domain, second]}, 422)

    assert "A recovery admin needs a username with a password" in page
    assert (await on.company.connection()).domains == (on.company.domain,)
