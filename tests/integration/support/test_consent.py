"""An organization allows support access, sees it and ends it, on a page that needs no Logto."""

from __future__ import annotations

from datetime import timedelta

import pytest
from quart import Quart

from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.models import NotificationKind
from saas_app.notifications.recorder import notify_of_support
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.support import queries
from saas_app.support.values import AccessRow, Consent
from tests.clients import Browser
from tests.conftest import OpenApp, OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.ending import set_end
from tests.integration.faulty_logto import DOWN, Fault, Faulty
from tests.integration.notifications.reading import told
from tests.integration.records import changes_of
from tests.integration.support.conftest import Customer
from tests.integration.support.rows import add_access, allow_support

ALLOW = {"allow": "yes", "duration": "hour"}


async def consent_of(runtime: Runtime, organization_id: str) -> Consent:
    async with runtime.work.reading(organization_id) as db:
        return await queries.find_consent(db, organization_id)


async def accesses_to(runtime: Runtime, organization_id: str) -> list[AccessRow]:
    async with runtime.work.reading(organization_id) as db:
        since = utc_now() - timedelta(days=400)
        return await queries.list_of_organization(db, organization_id, since, None, 100)


async def test_by_default_nobody_from_support_has_access(acme: Customer) -> None:
    page = await acme.browser.text(acme.support)

    assert "The support team has no access to" in page
    assert "No support access yet" in page


async def test_it_is_allowed_for_the_chosen_time(acme: Customer, runtime: Runtime) -> None:
    before = utc_now()

    await acme.browser.post(acme.support, ALLOW)

    consent = await consent_of(runtime, acme.id)
    assert consent.until is not None
    assert before + timedelta(hours=1) <= consent.until <= utc_now() + timedelta(hours=1, minutes=1)
    assert not consent.writes
    assert "It cannot change anything." in await acme.browser.text(acme.support)


async def test_it_can_stay_allowed_and_include_changes(acme: Customer, runtime: Runtime) -> None:
    await acme.browser.post(acme.support, {"allow": "yes", "duration": "none", "writes": "yes"})

    assert await consent_of(runtime, acme.id) == Consent(is_allowed=True, writes=True)
    page = await acme.browser.text(acme.support)
    assert "and change projects and tasks. Access stays allowed until an admin turns it off." in page


async def test_allowing_it_and_turning_it_off_are_recorded(acme: Customer, runtime: Runtime) -> None:
    await acme.browser.post(acme.support, {"allow": "yes", "duration": "none", "writes": "yes"})

    await acme.browser.post(acme.support, {"allow": "no"})

    allowed, forbidden = await changes_of(runtime, acme.id)
    assert (allowed.action, forbidden.action) == ("support.allow", "support.forbid")
    assert allowed.actor_id == forbidden.actor_id == acme.admin.id
    assert allowed.after == {"support_allowed": True, "support_until": None, "support_writes": True}
    assert forbidden.before == allowed.after


async def test_turning_it_off_ends_the_live_accesses(acme: Customer, runtime: Runtime) -> None:
    await allow_support(runtime, acme.id)
    over = await add_access(runtime, acme.id, ago=timedelta(hours=1))
    live = await add_access(runtime, acme.id)

    await acme.browser.post(acme.support, {"allow": "no"})

    ended = {row.id: row.ended_by for row in await accesses_to(runtime, acme.id)}
    assert ended == {live: acme.admin.id, over: None}
    actions = [event.action for event in await changes_of(runtime, acme.id)]
    assert actions == ["support.forbid", "support.end"]


async def test_a_consent_that_has_ended_counts_as_none(acme: Customer, runtime: Runtime) -> None:
    async with runtime.jobs.writing() as db:
        yesterday = utc_now() - timedelta(days=1)
        await queries.save_consent(db, acme.id, Consent(is_allowed=True, until=yesterday))

    page = await acme.browser.text(acme.support)

    assert "The support team has no access to" in page


async def test_an_access_that_ended_with_the_consent_does_not_begin_again_with_the_next(
    acme: Customer, runtime: Runtime
) -> None:
    await add_access(runtime, acme.id)
    async with runtime.jobs.writing() as db:
        a_minute_ago = utc_now() - timedelta(minutes=1)
        await queries.save_consent(db, acme.id, Consent(is_allowed=True, until=a_minute_ago))

    await acme.browser.post(acme.support, ALLOW)

    (row,) = await accesses_to(runtime, acme.id)
    assert not row.is_live(utc_now())


async def test_allowing_it_again_ends_no_live_access(acme: Customer, runtime: Runtime) -> None:
    await allow_support(runtime, acme.id)
    await add_access(runtime, acme.id)

    await acme.browser.post(acme.support, ALLOW)

    (row,) = await accesses_to(runtime, acme.id)
    assert row.is_live(utc_now())


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"allow": "perhaps"},
        {"allow": "yes"},
        {"allow": "yes", "duration": "date", "until": "2099-01-01T00:00"},
    ],
)
async def test_a_form_without_a_known_choice_changes_nothing(
    acme: Customer, runtime: Runtime, form: dict[str, str]
) -> None:
    page = await acme.browser.submit(acme.support, form, 400)

    assert "how long to allow support access" in page
    assert await consent_of(runtime, acme.id) == Consent()


async def test_members_who_cannot_change_settings_cannot_allow_it(acme: Customer, runtime: Runtime) -> None:
    await acme.browsers["viewer"].post(acme.support, ALLOW, 403)

    assert await consent_of(runtime, acme.id) == Consent()


@pytest.mark.parametrize(
    ("duration", "status"), [("hour", 303), ("day", 422), ("none", 422)], ids=["hour", "day", "no end"]
)
async def test_nobody_allows_it_for_longer_than_they_can_change_settings(
    acme: Customer, runtime: Runtime, duration: str, status: int
) -> None:
    """Otherwise, what a role that ends was used for would last."""
    await set_end(runtime, acme.id, acme.admin, Role.ADMIN, timedelta(hours=2))

    await acme.browser.post(acme.support, {**ALLOW, "duration": duration}, status)

    assert (await consent_of(runtime, acme.id)).is_allowed is (status == 303)


async def test_it_can_be_turned_off_while_logto_is_down(faulty: Faulty, runtime: Runtime) -> None:
    acme = Customer(**vars(faulty.acme))
    await acme.browser.get(acme.support)
    await allow_support(runtime, acme.id)
    faulty.gate.fail(Fault(".*", ".*", **DOWN))

    await acme.browser.post(acme.support, {"allow": "no"})

    assert await consent_of(runtime, acme.id) == Consent()


async def test_an_installation_without_a_support_team_has_no_such_page(
    acme: Customer, open_app: OpenApp
) -> None:
    without: Quart = await open_app(support_organization_id="", support_app_id="")
    browser = acme.browser.at(without)

    await browser.get(acme.support, 404)

    await browser.post(acme.support, ALLOW, 404)
    assert "Support access" not in await browser.text(f"{acme.root}/settings")


@pytest.fixture
async def team_admin(make: Factory, settings: Settings, open_browser: OpenBrowser) -> Browser:
    """The browser of an admin of the support team's own organization."""
    return await open_browser(await make.member(settings.support_organization_id, "Olga", Role.ADMIN))


async def test_the_support_team_cannot_allow_what_nobody_could_use(
    team_admin: Browser, settings: Settings, runtime: Runtime
) -> None:
    team = settings.support_organization_id
    before = await consent_of(runtime, team)

    await team_admin.get(f"/o/{team}/support-access", 404)
    await team_admin.post(f"/o/{team}/support-access", ALLOW, 404)

    assert await consent_of(runtime, team) == before


async def test_the_settings_of_the_support_team_say_why_there_is_no_switch(
    team_admin: Browser, settings: Settings
) -> None:
    page = await team_admin.text(f"/o/{settings.support_organization_id}/settings")

    assert "because it is the organization of the support team." in page
    assert "Manage support access" not in page


async def test_the_settings_say_whether_it_is_allowed(acme: Customer, runtime: Runtime) -> None:
    await allow_support(runtime, acme.id)

    page = await acme.browser.text(f"{acme.root}/settings")

    assert f'href="{acme.support}">Manage support access' in page


async def test_an_admin_ends_an_access(acme: Customer, runtime: Runtime) -> None:
    await allow_support(runtime, acme.id)
    access_id = await add_access(runtime, acme.id)
    assert "Live now" in await acme.browser.text(acme.support)

    await acme.browser.post(f"{acme.support}/{access_id}/end")

    page = await acme.browser.text(acme.support)
    assert "Live now" not in page
    assert "Ended by Ada" in page
    (event,) = await changes_of(runtime, acme.id)
    assert (event.action, event.actor_id, event.target_name) == ("support.end", acme.admin.id, "Carol Okafor")


async def test_an_access_ends_only_once(acme: Customer, runtime: Runtime) -> None:
    await allow_support(runtime, acme.id)
    access_id = await add_access(runtime, acme.id)
    await acme.browser.post(f"{acme.support}/{access_id}/end")

    await acme.browser.post(f"{acme.support}/{access_id}/end")

    assert "Sam Whitfield is no longer acting for Carol Okafor." in await acme.browser.text(acme.support)
    assert len(await changes_of(runtime, acme.id)) == 1


async def test_an_admin_of_another_organization_ends_nothing(
    acme: Customer, runtime: Runtime, open_office: OpenOffice
) -> None:
    globex = await open_office("Globex", admin="Gail")
    await allow_support(runtime, acme.id)
    access_id = await add_access(runtime, acme.id)

    await globex.browser.post(f"{globex.root}/support-access/{access_id}/end", expect=404)

    await globex.browser.post(f"{acme.support}/{access_id}/end", expect=404)
    assert [row.ended_at for row in await accesses_to(runtime, acme.id)] == [None]


async def test_everybody_who_was_told_of_the_start_is_told_of_the_end_but_its_author(
    acme: Customer, runtime: Runtime
) -> None:
    await allow_support(runtime, acme.id)
    access_id = await add_access(runtime, acme.id, member_id=acme.carol.id)
    details = {"agent": "Sam", "member": "Carol", "member_id": acme.carol.id, "ticket": "4711"}
    async with runtime.work.writing(acme.id) as db:
        readers = [acme.carol.id, acme.admin.id]
        await notify_of_support(db, acme.id, NotificationKind.SUPPORT_STARTED, access_id, readers, details)

    await acme.browser.post(f"{acme.support}/{access_id}/end")

    assert await told(runtime, acme.admin.id) == [
        f"Sam from support started acting for Carol in {acme.name} (ticket 4711)."
    ]
    assert await told(runtime, acme.carol.id) == [
        f"Sam Whitfield from support is no longer acting for you in {acme.name} (ticket 4711).",
        f"Sam from support started acting for you in {acme.name} (ticket 4711).",
    ]


async def test_admins_see_live_accesses_on_the_overview_and_can_end_them(
    acme: Customer, runtime: Runtime
) -> None:
    await allow_support(runtime, acme.id)
    access_id = await add_access(runtime, acme.id)

    page = await acme.browser.text(f"{acme.root}/")

    assert "<strong>Sam Whitfield</strong> from support is acting for <strong>Carol Okafor</strong>." in page
    assert f'action="{acme.support}/{access_id}/end"' in page


async def test_a_member_sees_on_the_overview_that_somebody_acts_for_them_and_no_other(
    acme: Customer, runtime: Runtime
) -> None:
    await allow_support(runtime, acme.id)
    await add_access(runtime, acme.id)
    access_id = await add_access(runtime, acme.id, member_id=acme.carol.id, agent_name="Tess")

    page = await acme.browsers["viewer"].text(f"{acme.root}/")

    assert "<strong>Tess</strong> from support is acting for you." in page
    assert "Sam Whitfield" not in page
    assert f"{access_id}/end" not in page


async def test_older_accesses_are_on_further_pages(acme: Customer, runtime: Runtime) -> None:
    for number in range(21):
        await add_access(runtime, acme.id, ago=timedelta(hours=1), ticket=f"T-{number}")
    await add_access(runtime, acme.id, ago=timedelta(days=91), ticket="too old")

    first = await acme.browser.text(acme.support)

    assert "T-20" in first
    assert "Ticket T-0 " not in first
    assert "too old" not in first
    following = first.partition('rel="next" href="')[2].partition('"')[0]
    assert "Ticket T-0 " in await acme.browser.text(f"{acme.support}{following}")
