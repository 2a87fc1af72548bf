"""What each step accepts, and what it refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saas_app.models import DomainProof
from saas_app.rbac.permissions import Role
from saas_app.single_sign_on.values import GroupRole, Stage
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


# Email domains


async def test_a_domain_that_is_proved_by_dns_can_be_chosen(begun: Wizard) -> None:
    await begun.send("domains", {"domains": begun.company.domain})

    assert (await begun.company.connection()).domains == (begun.company.domain,)
    assert (await begun.actions())[-1] == "sso.change"


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


# The provider


async def test_the_secret_is_neither_shown_nor_recorded(begun: Wizard) -> None:
    secret = "a-secret-that-is-typed-once"

    await begun.send("provider", begun.provider(client_secret=secret))

    assert secret not in await begun.text()
    assert secret not in str([(event.before, event.after) for event in await begun.events()])


async def test_a_rejected_form_keeps_what_was_typed_but_not_the_secret(begun: Wizard) -> None:
    typed = begun.provider(issuer="http://127.0.0.1:1", client_id="typed-id", client_secret="typed-secret")

    page = await begun.send("provider", typed, 422)

    assert "127.0.0.1 could not be reached" in page
    assert 'value="typed-id"' in page
    assert "typed-secret" not in page
    assert (await begun.connector()).issuer == ""


async def test_a_form_that_waits_for_a_sign_in_loses_its_secret(begun: Wizard) -> None:
    typed = begun.provider(client_secret="typed-secret")
    mark = begun.company.runtime.kept_forms.mark(begun.company.admin.id)
    begun.browser.session_cookie = "of a session that has ended"
    answer = await begun.post("provider", {**typed, "_owner": mark})

    page = await begun.browser.text(
        await begun.browser.come_back(
            (await begun.browser.get(answer.headers["Location"], 303)).headers["Location"],
            begun.company.admin,
        )
    )

    assert 'value="Acme Login"' in page
    assert "typed-secret" not in page


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", "", "Enter the name that people see."),
        ("issuer", "", "Enter the issuer of your identity provider"),
        ("issuer", "https://login.example.com/?x", "from ? or # on"),
        ("client_id", "", "Enter the client ID."),
        ("client_secret", "  ", "Enter the client secret."),
        ("scopes", 'groups "quoted"', "Enter scopes with spaces between them"),
        ("name", "x" * 65, "Use at most 64 characters."),
    ],
)
async def test_a_field_is_checked(begun: Wizard, field: str, value: str, problem: str) -> None:
    page = await begun.send("provider", begun.provider(**{field: value}), 422)

    assert problem in page
    assert await begun.actions() == ["sso.create"]


async def test_a_provider_in_a_private_network_is_not_called(begun: Wizard, open_app: OpenApp) -> None:
    there = begun.browser.at(await open_app(single_sign_on_private_issuers=False))

    await there.post(f"{begun.path}/provider", begun.provider(issuer="https://127.0.0.1/"), 422)

    assert (await begun.connector()).issuer == ""


async def test_a_provider_that_publishes_another_issuer_is_refused(begun: Wizard) -> None:
    begun.company.provider.metadata = {"issuer": "https://login.other.example"}

    page = await begun.send("provider", begun.provider(), 422)

    assert "publishes another issuer" in page
    assert (await begun.connector()).issuer == ""


async def test_a_change_of_the_provider_requires_a_new_test(tested: Wizard) -> None:
    await tested.send("provider", tested.provider(scopes="groups"))

    assert (await tested.company.connection()).stage is Stage.CONFIGURED


async def test_a_refused_change_of_the_provider_keeps_the_test(tested: Wizard) -> None:
    await tested.send("provider", tested.provider(issuer="http://127.0.0.1:1"), 422)

    assert (await tested.company.connection()).stage is Stage.TESTED


@pytest.mark.parametrize("change", ["issuer", "client_id"])
async def test_while_it_is_on_the_provider_stays(on: Wizard, change: str) -> None:
    before = await on.connector()

    page = await on.send("provider", on.provider(**{change: "https://login.example.com"}), 422)

    assert "Turn single sign-on off before you change" in page
    assert await on.connector() == before


async def test_while_it_is_on_the_secret_is_replaced_and_the_page_asks_for_a_test(on: Wizard) -> None:
    await on.send("provider", on.provider(client_secret="another-secret"))

    connection = await on.company.connection()
    assert (connection.is_on, connection.tested_at) == (True, None)
    assert (await on.connector()).domains == (on.company.domain,)
    assert "has not been tested since it was last changed" in await on.text()


# The test


async def test_testing_begins_at_the_connector(tested: Wizard) -> None:
    answer = await tested.browser.get(f"{tested.path}/test", 303)

    connector_id = (await tested.company.connection()).connector_id
    assert f"direct_sign_in=sso%3A{connector_id}" in answer.headers["Location"]
    assert "prompt=login" in answer.headers["Location"]


async def test_without_a_provider_nothing_is_tested(begun: Wizard) -> None:
    assert "Enter the provider first." in await begun.browser.text(f"{begun.path}/test", 422)


async def test_without_a_domain_nothing_is_tested(begun: Wizard) -> None:
    await begun.send("provider", begun.provider())

    assert "Choose at least one domain first." in await begun.browser.text(f"{begun.path}/test", 422)


async def test_a_test_through_the_provider_is_noted(begun: Wizard) -> None:
    await begun.send("domains", {"domains": begun.company.domain})
    await begun.send("provider", begun.provider())
    begun.company.asserts(begun.company.address(begun.company.admin.username))
    started = await begun.browser.get(f"{begun.path}/test", 303)

    back = await begun.browser.come_back(started.headers["Location"], None)

    assert back.partition("#")[0] == begun.path
    connection = await begun.company.connection()
    assert (connection.stage, connection.tested_by) == (Stage.TESTED, begun.company.admin.id)
    assert "Ada signed in through the provider" in await begun.text()


async def test_the_page_says_why_a_test_failed(begun: Wizard) -> None:
    await begun.send("domains", {"domains": begun.company.domain})
    await begun.send("provider", begun.provider())
    begun.company.asserts(begun.company.address(begun.company.admin.username))
    started = await begun.browser.get(f"{begun.path}/test", 303)
    await begun.company.lose()
    await begun.browser.get(await begun.browser.callback_of(started.headers["Location"], None), 400)

    page = await begun.text()

    assert "The last sign-in was rejected" in page
    assert "outside your organization’s verified domains" in page
    assert (await begun.company.connection()).stage is Stage.CONFIGURED


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


async def test_a_provider_that_logto_does_not_have_is_not_turned_on(tested: Wizard) -> None:
    await tested.company.change(client_id="another")

    assert "Logto has another provider than this page." in await tested.send("on", expect=422)
    assert not (await tested.company.connection()).is_on


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


# Groups


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
