"""What each step accepts, and what it refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saas_app.models import DomainProof
from saas_app.rbac.permissions import Role
from saas_app.single_sign_on.values import Stage
from tests.clients import FRESH
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.integration.ending import set_end
from tests.integration.single_sign_on.company import Company, new_domain
from tests.integration.single_sign_on.wizard import Wizard

CHANGES = (
    *("begin", "domains", "provider", "people", "on", "off", "apply", "groups"),
    *("require", "optional", "remove"),
)
"""The steps that change something."""


def forms(wizard: Wizard) -> dict[str, dict[str, str]]:
    """Return forms that the steps accept."""
    return {"provider": wizard.provider(), "people": {"joins": "no"}}


@pytest.mark.parametrize("step", CHANGES)
async def test_an_admin_for_a_time_changes_nothing(step: str, tested: Wizard) -> None:
    company = tested.company
    await set_end(company.runtime, company.id, company.admin, Role.ADMIN.value, timedelta(hours=1))
    before = await company.connection()

    page = await tested.send(step, forms(tested).get(step), 422)

    assert "only an admin whose role has no end can change it" in page
    assert await company.connection() == before
    assert await tested.actions() == []


async def test_the_page_tells_an_admin_for_a_time_that_they_change_nothing(wizard: Wizard) -> None:
    company = wizard.company
    await set_end(company.runtime, company.id, company.admin, Role.ADMIN.value, timedelta(hours=1))

    assert "Your own role has an end" in await wizard.text()


async def test_where_it_is_not_offered_there_is_no_page_and_no_link(
    company: Company, open_app: OpenApp, open_browser: OpenBrowser
) -> None:
    app = await open_app(single_sign_on=False)
    browser = await open_browser(at=app)
    await browser.sign_in(company.admin, FRESH)

    await browser.get(f"{company.root}/single-sign-on", 404)
    await browser.post(f"{company.root}/single-sign-on/begin", expect=404)
    assert "single-sign-on" not in await browser.text(f"{company.root}/settings")


async def test_the_settings_lead_to_the_page(wizard: Wizard) -> None:
    assert "Manage single sign-on" in await wizard.browser.text(f"{wizard.company.root}/settings")


async def test_the_settings_say_that_auto_join_does_not_apply_while_it_is_on(tested: Wizard) -> None:
    settings, said = f"{tested.company.root}/settings", "its settings decide who joins"
    assert said not in await tested.browser.text(settings)

    await tested.send("on")

    assert said in await tested.browser.text(settings)


# Email domains


async def test_a_domain_that_is_proved_by_dns_can_be_chosen(begun: Wizard) -> None:
    await begun.send("domains", {"domains": begun.company.domain})

    assert (await begun.company.connection()).domains == (begun.company.domain,)
    assert (await begun.actions())[-1] == "sso.change"


async def test_saving_without_a_domain_says_that_none_is_chosen(begun: Wizard) -> None:
    await begun.send("domains", {})

    assert "No email domain is chosen." in await begun.text()


async def test_saving_the_domains_again_records_nothing(begun: Wizard) -> None:
    await begun.send("domains", {"domains": begun.company.domain})

    await begun.send("domains", {"domains": begun.company.domain})

    assert await begun.actions() == ["sso.create", "sso.change"]


async def test_a_domain_that_is_proved_by_an_address_is_not_offered(begun: Wizard) -> None:
    domain = await begun.company.hold(new_domain(), DomainProof.ADDRESS)

    page = await begun.text()

    assert f'value="{domain}"' not in page
    assert f"Not offered: {domain}" in page


@pytest.mark.parametrize("proof", [DomainProof.ADDRESS, None])
async def test_only_a_domain_that_is_proved_by_dns_is_accepted(
    begun: Wizard, proof: DomainProof | None
) -> None:
    domain = new_domain()
    if proof is not None:
        await begun.company.hold(domain, proof)

    page = await begun.send("domains", {"domains": domain}, 422)

    assert f"no longer holds {domain} by a TXT record" in page
    assert (await begun.company.connection()).domains == ()


async def test_a_domain_that_was_lost_meanwhile_is_not_accepted(begun: Wizard) -> None:
    await begun.company.lose()

    await begun.send("domains", {"domains": begun.company.domain}, 422)

    assert (await begun.company.connection()).domains == ()


async def test_while_it_is_on_another_domain_is_used_at_once(on: Wizard) -> None:
    second = await on.company.hold(new_domain())

    await on.send("domains", {"domains": [on.company.domain, second]})

    assert set((await on.connector()).domains) == {on.company.domain, second}


async def test_while_it_is_on_one_domain_remains(on: Wizard) -> None:
    page = await on.send("domains", {}, 422)

    assert "Choose at least one domain" in page
    assert (await on.connector()).domains == (on.company.domain,)


# The test


async def test_an_admin_without_an_address_at_the_domains_is_told_so_before_the_test(
    tested: Wizard, make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    await browser.sign_in(await make.member(tested.company.id, "Stella", Role.ADMIN), FRESH)

    page = await browser.text(f"{tested.path}/test", 422)

    assert "The email address of your account is not at one of the chosen domains." in page
    assert f'href="{tested.path}/test"' in page


async def test_an_admin_for_a_time_tests_nothing(tested: Wizard) -> None:
    company = tested.company
    await set_end(company.runtime, company.id, company.admin, Role.ADMIN.value, timedelta(hours=1))

    page = await tested.browser.text(f"{tested.path}/test", 422)

    assert "only an admin whose role has no end can change it" in page


async def test_without_a_provider_nothing_is_tested(begun: Wizard) -> None:
    assert "Enter the provider first." in await begun.browser.text(f"{begun.path}/test", 422)


@pytest.mark.parametrize("is_lost", [False, True])
async def test_without_a_domain_nothing_is_tested(tested: Wizard, is_lost: bool) -> None:
    if is_lost:
        await tested.company.lose()
    else:
        await tested.company.change(domains=[])

    page = await tested.browser.text(f"{tested.path}/test", 422)

    assert "Choose at least one domain first." in page


async def test_without_a_connection_nothing_is_tested(wizard: Wizard) -> None:
    assert "Single sign-on is not set up" in await wizard.browser.text(f"{wizard.path}/test", 409)


# On


async def test_an_untested_connection_is_not_turned_on(begun: Wizard) -> None:
    await begun.send("domains", {"domains": begun.company.domain})
    await begun.send("provider", begun.provider())

    assert "Test the connection first." in await begun.send("on", expect=422)
    assert not (await begun.company.connection()).is_on


async def test_without_a_proved_domain_it_is_not_turned_on(tested: Wizard) -> None:
    await tested.company.lose()

    assert "Choose at least one domain" in await tested.send("on", expect=422)
    assert not (await tested.company.connection()).is_on


async def test_a_provider_that_stopped_working_is_not_turned_on(tested: Wizard) -> None:
    tested.company.provider.metadata = {"issuer": "https://login.other.example"}

    assert "publishes another issuer" in await tested.send("on", expect=422)
    assert not (await tested.company.connection()).is_on


async def test_turning_it_on_lets_the_connector_point_at_workroom(tested: Wizard) -> None:
    await tested.company.point_elsewhere()

    await tested.send("on")

    connector = await tested.connector()
    assert tested.company.runtime.registration.is_ours(connector)
    assert connector.domains == (tested.company.domain,)


async def test_a_lost_domain_is_left_out_when_it_is_turned_on(tested: Wizard) -> None:
    second = await tested.company.hold(new_domain())
    await tested.company.change(domains=[tested.company.domain, second])
    await tested.company.lose(second)

    await tested.send("on")

    assert (await tested.connector()).domains == (tested.company.domain,)


async def test_turning_it_on_again_changes_nothing(tested: Wizard) -> None:
    await tested.send("on")

    await tested.send("on")

    assert (await tested.actions()).count("sso.turn-on") == 1


async def test_turning_it_off_makes_it_optional(wizard: Wizard) -> None:
    await wizard.company.connect(Stage.REQUIRED)

    await wizard.send("off")

    connection = await wizard.company.connection()
    assert (connection.stage, connection.recovery_id) == (Stage.TESTED, None)


async def test_turning_it_off_twice_records_it_once(on: Wizard) -> None:
    await on.send("off")

    await on.send("off")

    assert await on.actions() == ["sso.turn-off"]


# People


async def test_people_join_only_while_it_is_on(tested: Wizard) -> None:
    await tested.send("people", {"joins": "yes"})
    assert not await tested.joins()

    await tested.send("on")

    assert await tested.joins()


async def test_while_it_is_on_people_join_at_once_or_no_longer(on: Wizard) -> None:
    await on.send("people", {"joins": "yes"})
    assert await on.joins()

    await on.send("people", {"joins": "no"})

    assert not await on.joins()


async def test_people_no_longer_join_when_it_is_turned_off(on: Wizard) -> None:
    await on.send("people", {"joins": "yes"})

    await on.send("off")

    assert not await on.joins()


async def test_nobody_lets_people_join_with_roles_that_they_cannot_assign(
    on: Wizard, make: Factory, open_browser: OpenBrowser, steward: str
) -> None:
    roles = await on.company.management.list_organization_roles()
    editor = [role.id for role in roles if role.name == Role.EDITOR]
    await on.company.management.replace_joining_roles(on.company.id, editor)
    browser = await open_browser()
    await browser.sign_in(await make.member(on.company.id, "Stella", steward), FRESH)

    await browser.post(f"{on.path}/people", {"joins": "yes"}, 403)

    assert not await on.joins()


async def test_a_form_that_does_not_say_who_joins_is_rejected(on: Wizard) -> None:
    await on.send("people", {}, 400)

    assert not await on.joins()
