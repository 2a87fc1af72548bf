"""The token workbench: what it shows, what it fetches, and to whom it shows a raw token."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from saas_app.changes.organization_change import Systems
from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable
from saas_app.identity.logto_client import LogtoCore, LogtoProvider
from saas_app.identity.membership_changes import note_change
from saas_app.identity.role_ends import RoleEnding
from saas_app.identity.wire import recorded
from saas_app.members.role_endings import end_role
from saas_app.models import SessionToken
from saas_app.rbac.permissions import Carrier, Role
from saas_app.runtime import Runtime
from saas_app.text.translation import _
from tests.clients import Browser, Person, text_of
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.integration.ending import FUTURE, PAST, set_end

PATH = "/lab/tokens"


@dataclass(frozen=True)
class Desk:
    """A person who is an admin of Acme and a viewer of Globex, in a browser."""

    person: Person
    browser: Browser
    acme: str
    globex: str

    @property
    def both(self) -> str:
        return f"{PATH}?left={self.acme}&right={self.globex}"

    @property
    def sides(self) -> dict[str, str]:
        return {"left": self.acme, "right": self.globex}


@pytest.fixture
async def desk(make: Factory, open_browser: OpenBrowser) -> Desk:
    person = await make.person("Vera")
    acme = await make.organization("Acme", admin=person)
    globex = await make.organization("Globex", viewer=person)
    return Desk(person, await open_browser(person), acme, globex)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the calls to Logto's token endpoint. The calls go through."""
    counted: Counter[str] = Counter()
    fetch = LogtoCore.fetch_token

    async def counting(self: LogtoCore, form: dict[str, str]) -> object:
        counted[form["grant_type"]] += 1
        return await fetch(self, form)

    monkeypatch.setattr(LogtoCore, "fetch_token", counting)
    return counted


@pytest.fixture
def logto_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logto's token endpoint does not respond."""

    async def fail(self: LogtoCore, form: dict[str, str]) -> object:
        raise LogtoUnavailable(_("Logto did not respond."))

    monkeypatch.setattr(LogtoCore, "fetch_token", fail)


async def raw_tokens(runtime: Runtime, desk: Desk) -> dict[str, str]:
    """Return the tokens that the session holds now, by the name that the form uses."""
    access = await runtime.sessions.find_access(desk.browser.session_cookie, None)
    assert access is not None
    session_id, inspector = access.principal.session_id, runtime.inspector
    found = {"id": await inspector.find_raw_id_token(session_id)}
    for side, organization_id in desk.sides.items():
        for kind, carrier in (("organization", Carrier.ORGANIZATION_TOKEN), ("api", Carrier.API_TOKEN)):
            found[f"{side}-{kind}"] = await inspector.find_raw_token(session_id, organization_id, carrier)
    assert all(found.values())
    return {name: token for name, token in found.items() if token}


# What it shows


async def test_both_kinds_of_token_are_compared_and_verified(desk: Desk) -> None:
    page = await desk.browser.text(desk.both)

    assert page.count("Signature verified here") == 5
    assert f"urn:logto:organization:{desk.acme}" in page
    assert f"urn:logto:organization:{desk.globex}" in page
    assert page.count("What differs:") == 2


async def test_the_key_is_shown_as_logto_publishes_it(desk: Desk, runtime: Runtime) -> None:
    page = await desk.browser.text(desk.both)

    async with runtime.http.get(f"{runtime.settings.logto_endpoint}/oidc/jwks") as response:
        (key, *_others) = (await response.json())["keys"]
    assert all(f"<code>{key[part]}</code>" in page for part in ("kid", "kty", "crv", "x", "y"))


async def keep_instead(runtime: Runtime, desk: Desk, token: str) -> None:
    """Let the session hold another API-resource token for Acme than the one that was verified."""
    access = await runtime.sessions.find_access(desk.browser.session_cookie, desk.acme)
    assert access is not None
    audience = runtime.freshness.audience(Carrier.API_TOKEN, desk.acme)
    await runtime.session_tokens.save_token(
        access.principal.session_id, desk.acme, access.tokens[audience], token
    )


async def test_a_token_that_somebody_changed_is_rejected_here(desk: Desk, runtime: Runtime) -> None:
    await desk.browser.get(desk.both)
    tokens = await raw_tokens(runtime, desk)
    claims, signature = tokens["right-api"].split(".")[1], tokens["left-api"].rpartition(".")[2]
    await keep_instead(runtime, desk, f"{tokens['left-api'].partition('.')[0]}.{claims}.{signature}")

    page = await desk.browser.text(desk.both)

    assert "Rejected here: Signature verification failed" in page
    assert page.count("Signature verified here") == 4


async def test_a_token_of_another_kind_is_rejected_here(desk: Desk, runtime: Runtime) -> None:
    await desk.browser.get(desk.both)
    await keep_instead(runtime, desk, (await raw_tokens(runtime, desk))["id"])

    page = await desk.browser.text(desk.both)

    assert "Rejected here: not a token of this type" in page


async def test_without_the_keys_nothing_is_called_verified(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.browser.get(desk.both)

    async def fail(self: LogtoProvider) -> LogtoCore:
        raise LogtoUnavailable(_("Logto did not respond."))

    monkeypatch.setattr(LogtoProvider, "core", fail)

    page = await desk.browser.text(desk.both)

    assert page.count("Not verified: Logto’s keys could not be fetched.") == 5
    assert "Signature verified here" not in page
    assert page.count("Logto’s addresses could not be fetched.") == 4


async def test_the_requests_are_those_that_are_sent(desk: Desk, runtime: Runtime) -> None:
    described = [await runtime.inspector.describe_request(desk.acme, carrier) for carrier in Carrier]

    with recorded() as sent:
        await desk.browser.get(f"{PATH}?left={desk.acme}")

    assert [exchange.request for exchange in sent] == described


async def test_the_request_of_a_sign_in_is_the_one_that_is_sent(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person, described = await make.person(), await runtime.inspector.describe_sign_in()

    with recorded() as sent:
        await open_browser(person)

    assert sent[0].request == described


async def test_secrets_in_the_request_are_replaced(desk: Desk, runtime: Runtime) -> None:
    page = await desk.browser.text(desk.both)

    assert "client_secret=<em>‹client secret›</em>" in page
    assert "refresh_token=<em>‹refresh token›</em>" in page
    assert runtime.settings.logto_app_secret.get_secret_value() not in page


async def test_with_one_organization_its_tokens_are_shown_alone(desk: Desk) -> None:
    page = await desk.browser.text(f"{PATH}?left={desk.acme}")

    assert "No other organization" in page
    assert "What differs:" not in page
    assert page.count("Signature verified here") == 3


async def test_without_a_choice_the_organization_of_the_last_visit_is_shown(desk: Desk) -> None:
    await desk.browser.get(f"/o/{desk.globex}/")

    page = await desk.browser.text(PATH)

    assert f'<option value="{desk.globex}" selected>' in page


async def test_a_person_without_an_organization_sees_the_id_token(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.person("Nora"))

    page = await browser.text(PATH)

    assert "Only your ID token is shown." in page
    assert "Signature verified here" in page


async def test_the_id_token_names_the_token_that_it_came_with(desk: Desk) -> None:
    page = await desk.browser.text(f"{PATH}?left={desk.acme}")

    assert "Logto issued it together with the API-resource token for Acme" in page


async def test_the_timeline_tells_of_sign_in_tokens_and_changed_roles(
    desk: Desk, make: Factory, open_browser: OpenBrowser
) -> None:
    boss = await make.member(desk.globex, "Zoe", Role.ADMIN)
    theirs = await open_browser(boss)
    await theirs.post(
        f"/o/{desk.globex}/members/{desk.person.id}/roles",
        {"seen": ["", "viewer"], "roles": "editor", "step": "confirm"},
    )

    page = await desk.browser.text(desk.both)

    told = page[page.index('id="timeline-heading"') :]
    assert "You signed in and consented." in told
    assert re.search(r"Workroom fetched the organization token for .*Acme", told)
    assert "Zoe promoted Vera from viewer to editor" in told


async def test_a_renewed_consent_is_in_the_timeline(desk: Desk) -> None:
    await desk.browser.follow("/sign-in/renew?next=/account")

    page = await desk.browser.text(desk.both)

    told = page[page.index('id="timeline-heading"') :]
    assert "A round trip to Logto renewed your consent." in told
    assert "You signed in.<" in told


async def test_a_removed_member_reads_it_in_the_timeline(
    desk: Desk, make: Factory, open_browser: OpenBrowser
) -> None:
    theirs = await open_browser(await make.member(desk.globex, "Zoe", Role.ADMIN))
    await theirs.post(f"/o/{desk.globex}/members/{desk.person.id}/remove")

    page = await desk.browser.text(desk.both)

    assert "You were removed from Globex" in page[page.index('id="timeline-heading"') :]


async def test_a_token_from_before_the_removal_does_not_open_the_audit_log(
    desk: Desk, make: Factory, open_browser: OpenBrowser
) -> None:
    await desk.browser.get(desk.both)
    theirs = await open_browser(await make.member(desk.globex, "Zoe", Role.ADMIN))
    await theirs.post(
        f"/o/{desk.globex}/members/{desk.person.id}/roles",
        {"seen": ["", "viewer"], "roles": "editor", "step": "confirm"},
    )
    await theirs.post(f"/o/{desk.globex}/members/{desk.person.id}/remove")

    page = await desk.browser.text(desk.both)

    assert "Zoe" not in page
    assert "You were removed from Globex" in page[page.index('id="timeline-heading"') :]


# The preview


async def test_the_preview_says_when_a_promotion_reaches_each_token(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person("Vera")
    globex = await make.organization("Globex", viewer=person)
    browser = await open_browser(person)

    page = await browser.text(f"{PATH}?left={globex}&role=admin&in={globex}")

    assert re.search(r"members:<wbr>invite.*?Comes with the next refresh", page, re.DOTALL)
    assert re.search(r"projects:<wbr>write.*?Comes only with a new consent", page, re.DOTALL)
    assert "Frozen in your grant, as Logto stores it: <code>projects:read</code>." in page


@pytest.mark.parametrize(
    "query", ["role=owner&in={acme}", "role=admin&in=elsewhere", "role=admin", "in={acme}"]
)
async def test_a_preview_that_makes_no_sense_is_left_out(desk: Desk, query: str) -> None:
    page = await desk.browser.text(f"{desk.both}&{query.format(acme=desk.acme)}")

    assert "After a new consent" not in page


# What it fetches


async def test_only_missing_tokens_are_fetched(desk: Desk, calls: Counter[str]) -> None:
    await desk.browser.get(f"/o/{desk.acme}/members")

    await desk.browser.get(desk.both)
    assert calls["refresh_token"] == 4

    await desk.browser.get(desk.both)
    assert calls["refresh_token"] == 4


async def test_a_token_that_the_product_would_not_use_any_more_is_shown_and_said(
    desk: Desk, calls: Counter[str], runtime: Runtime
) -> None:
    await desk.browser.get(desk.both)
    await note_change(runtime.work, desk.acme, desk.person.id)
    calls.clear()

    page = await desk.browser.text(desk.both)

    assert not calls
    assert page.count("this token is no longer used here") == page.count(">Outdated<") == 2


async def test_fetching_again_brings_what_has_changed(desk: Desk, make: Factory) -> None:
    await desk.browser.get(desk.both)
    await make.give_roles(desk.acme, desk.person, Role.VIEWER)
    assert "members:invite" in await desk.browser.text(desk.both)

    response = await desk.browser.post(f"{PATH}/refresh", desk.sides)

    assert response.headers["Location"] == desk.both
    assert "members:invite" not in await desk.browser.text(desk.both)


async def test_a_refused_token_says_why(desk: Desk, make: Factory) -> None:
    await make.management.remove_member(desk.globex, desk.person.id)

    page = await desk.browser.text(desk.both)

    assert page.count("Logto refused this token") == 2
    assert "user is not a member of the organization" in page
    assert "Logto refused the organization token for" in page


async def test_a_token_that_needs_a_second_factor_says_so(desk: Desk, make: Factory) -> None:
    await make.management.update_organization(desk.globex, is_mfa_required=True)

    page = await desk.browser.text(desk.both)

    assert "organization requires MFA but user has no MFA configured" in page
    assert page.count("Signature verified here") == 3


async def test_while_logto_is_down_missing_tokens_are_said(
    desk: Desk, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("logto_is_down")

    page = await desk.browser.text(desk.both)

    assert "Logto does not answer." in page
    assert page.count("No token is cached") == 4
    assert "Signature verified here" in page  # the ID token


async def test_while_logto_is_down_cached_tokens_are_shown(
    desk: Desk, request: pytest.FixtureRequest
) -> None:
    await desk.browser.get(f"{PATH}?left={desk.acme}")
    request.getfixturevalue("logto_is_down")

    page = await desk.browser.text(desk.both)

    assert "Logto does not answer." in page
    assert page.count("Signature verified here") == 3
    assert page.count("No token is cached") == 2


# Whose tokens


@pytest.mark.parametrize("side", ["left", "right"])
async def test_another_organization_is_not_found(desk: Desk, make: Factory, side: str) -> None:
    foreign = await make.organization("Initech", admin=await make.person("Zoe"))

    query = {**desk.sides, side: foreign}

    await desk.browser.get(f"{PATH}?left={query['left']}&right={query['right']}", 404)
    for action in ("raw", "refresh"):
        await desk.browser.post(f"{PATH}/{action}", {**query, "token": "id"}, 404)


async def test_somebody_who_is_not_signed_in_is_sent_to_sign_in(open_browser: OpenBrowser) -> None:
    response = await (await open_browser()).get(PATH, 303)

    assert response.headers["Location"].startswith("/sign-in?next=")


async def test_a_person_who_signed_out_meanwhile_signs_in_first(desk: Desk) -> None:
    await desk.browser.get(desk.both)
    await desk.browser.post("/sign-out")

    response = await desk.browser.get(desk.both, 303)

    assert response.headers["Location"].startswith("/sign-in?next=")


async def test_a_person_whose_grant_ended_meanwhile_signs_in_first(desk: Desk, make: Factory) -> None:
    for grant in await make.management.list_user_grants(desk.person.id):
        await make.management.end_user_grant(desk.person.id, grant.id)

    response = await desk.browser.get(desk.both, 303)

    assert response.headers["Location"].startswith("/sign-in?next=")


# Raw tokens


@pytest.mark.parametrize("wanted", ["id", "left-organization", "left-api", "right-organization", "right-api"])
async def test_a_raw_token_is_shown_to_its_owner(desk: Desk, runtime: Runtime, wanted: str) -> None:
    await desk.browser.get(desk.both)
    token = (await raw_tokens(runtime, desk))[wanted]

    response = await desk.browser.post(f"{PATH}/raw", {**desk.sides, "token": wanted}, 200)

    page = await text_of(response)
    assert token in page
    assert "Do not show it in a talk" in page
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("wanted", ["", "all", "left", "left-id", "middle-api", "right-api-token"])
async def test_a_token_that_is_not_on_the_page_is_not_found(desk: Desk, wanted: str) -> None:
    await desk.browser.post(f"{PATH}/raw", {"left": desk.acme, "token": wanted}, 404)


async def test_no_address_shows_a_raw_token(desk: Desk) -> None:
    await desk.browser.get(f"{PATH}/raw?left={desk.acme}&token=id", 405)


async def test_a_raw_token_is_in_no_other_page_and_in_no_log_line(
    desk: Desk, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    """Signatures are looked for, because header and claims are shown decoded."""
    with capture_logs() as lines, caplog.at_level("DEBUG"):
        pages = [
            await desk.browser.text(path)
            for path in (
                desk.both,
                f"{desk.both}&role=admin&in={desk.acme}",
                "/lab",
                f"/o/{desk.acme}/access",
                "/account/profile",
                f"/o/{desk.globex}/access",
            )
        ]
        pages.append(await desk.browser.text(f"/o/{desk.globex}/projects/new", 403))
        pages.append(await desk.browser.submit(f"{PATH}/raw", {**desk.sides, "token": "nonsense"}, 404))
        shown = await desk.browser.submit(f"{PATH}/raw", {**desk.sides, "token": "left-api"})
        await desk.browser.post(f"{PATH}/raw", {**desk.sides, "token": "id"}, 200)

    signatures = {name: token.rpartition(".")[2] for name, token in (await raw_tokens(runtime, desk)).items()}
    logged = f"{lines} {caplog.text}"
    assert [name for name, one in signatures.items() if any(one in page for page in pages)] == []
    assert [name for name, one in signatures.items() if one in shown] == ["left-api"]
    assert [name for name, one in signatures.items() if one in logged] == []


async def test_a_value_on_the_bench_does_not_print_a_token(desk: Desk, runtime: Runtime) -> None:
    await desk.browser.get(desk.both)
    access = await runtime.sessions.find_access(desk.browser.session_cookie, desk.acme)
    assert access is not None

    inspection = await runtime.inspector.inspect(access.principal.session_id, desk.acme, Carrier.API_TOKEN)

    token = (await raw_tokens(runtime, desk))["left-api"]
    assert token.rpartition(".")[2] not in repr(inspection)


# Links to it


async def test_my_access_and_a_denial_lead_to_it(desk: Desk) -> None:
    access = await desk.browser.text(f"/o/{desk.acme}/access")
    denied = await desk.browser.text(f"/o/{desk.globex}/projects/new", 403)

    assert f'href="{PATH}?left={desk.acme}"' in access
    assert f'href="{PATH}?left={desk.globex}"' in denied
    assert "Compare your tokens in the lab" in denied


async def test_a_missing_second_factor_leads_to_it(desk: Desk, make: Factory) -> None:
    await make.management.update_organization(desk.globex, is_mfa_required=True)

    page = await desk.browser.text(f"/o/{desk.globex}/projects", 403)

    assert f'href="{PATH}?left={desk.globex}"' in page


async def test_a_form_that_waits_for_a_renewal_leads_to_it(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person("Vera")
    globex = await make.organization("Globex", viewer=person)
    browser = await open_browser(person)
    await make.give_roles(globex, person, Role.EDITOR)
    await note_change(runtime.work, globex, person.id)

    page = await browser.submit(f"/o/{globex}/projects/new", {"name": "Late"}, 403)

    assert "Renew and continue" in page
    assert f'href="{PATH}?left={globex}"' in page


@pytest.fixture
async def without_lab(desk: Desk, open_app: OpenApp) -> Browser:
    """The person's browser at a worker without the lab."""
    return desk.browser.at(await open_app(lab=False))


async def test_without_the_lab_nothing_leads_to_it_and_it_does_not_exist(
    desk: Desk, without_lab: Browser
) -> None:
    access = await without_lab.text(f"/o/{desk.acme}/access")
    denied = await without_lab.text(f"/o/{desk.globex}/projects/new", 403)

    assert 'href="/lab' not in access
    assert 'href="/lab' not in denied
    await without_lab.get(PATH, 404)
    await without_lab.post(f"{PATH}/raw", {**desk.sides, "token": "id"}, 404)


# Odd and large


async def test_few_organizations_are_all_offered(desk: Desk) -> None:
    page = await desk.browser.text(f"{desk.both}&q=glob")

    assert f'<option value="{desk.acme}" selected>' in page
    assert f'<option value="{desk.globex}" selected>' in page


async def test_many_organizations_are_searched(
    desk: Desk, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas_app.lab.pages.tokens._FEW", 1)
    monkeypatch.setattr("saas_app.lab.pages.tokens._FOUND", 1)

    page = await desk.browser.text(f"{PATH}?left={desk.acme}&q=glob")
    assert "Find one of your 2 organizations" in page
    assert f'href="?left={desk.acme}&right={desk.globex}"' in page
    assert "<select" not in page[: page.index("What if")]

    assert "1 more." in await desk.browser.text(f"{PATH}?left={desk.acme}&q=e")
    assert "No organization matches “zzz”." in await desk.browser.text(f"{PATH}?left={desk.acme}&q=zzz")


async def test_a_right_to_left_name_is_isolated(make: Factory, open_browser: OpenBrowser) -> None:
    person = await make.person("Vera")
    organization_id = await make.organization("שלום", viewer=person)

    page = await (await open_browser(person)).text(f"{PATH}?left={organization_id}")

    assert "<strong><bdi>שלום" in page
    assert re.search("organization token for \u2068שלום [^\u2069]+\u2069", page)


async def test_an_expired_token_is_fetched_again(desk: Desk, runtime: Runtime, calls: Counter[str]) -> None:
    await desk.browser.get(f"{PATH}?left={desk.acme}")
    async with runtime.jobs.writing() as db:
        await db.execute(
            SessionToken.__table__.update()  # type: ignore[attr-defined]
            .where(SessionToken.organization_id == desk.acme)
            .values(expires_at=utc_now())
        )
    calls.clear()

    await desk.browser.get(f"{PATH}?left={desk.acme}")

    assert calls["refresh_token"] == 2


# Roles that end


async def test_a_role_that_has_ended_is_named_beside_the_tokens_that_still_carry_it(
    desk: Desk, runtime: Runtime
) -> None:
    await desk.browser.get(desk.both)
    await set_end(runtime, desk.acme, desk.person, Role.ADMIN, PAST)

    page = await desk.browser.text(f"{desk.both}&role=editor&in={desk.acme}")

    assert page.count("Your admin role in Acme") == 2  # at the top, and in the preview
    assert "admin · ended" in page
    assert "projects:write" in page


async def test_without_an_ended_role_the_workbench_says_nothing_about_ends(
    desk: Desk, runtime: Runtime
) -> None:
    await set_end(runtime, desk.acme, desk.person, Role.ADMIN, FUTURE)

    page = await desk.browser.text(f"{desk.both}&role=editor&in={desk.acme}")

    assert "has ended" not in page
    assert "· ended" not in page


async def test_the_timeline_shows_nothing_that_only_a_role_that_has_ended_allows(
    desk: Desk, runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    ada = await open_browser(await make.member(desk.acme, "Ada", Role.ADMIN))
    await make.give_roles(desk.acme, desk.person, Role.ADMIN, Role.VIEWER)
    form = {"seen": ["", "admin", "viewer"], "roles": ["admin"], "step": "confirm"}
    await ada.post(f"/o/{desk.acme}/members/{desk.person.id}/roles", form)
    assert "Ada" in timeline_of(await desk.browser.text(desk.both))

    await set_end(runtime, desk.acme, desk.person, Role.ADMIN, PAST)

    assert "Ada" not in timeline_of(await desk.browser.text(desk.both))


async def test_the_timeline_tells_that_a_role_has_ended(desk: Desk, runtime: Runtime, make: Factory) -> None:
    assert runtime.management
    await make.give_roles(desk.acme, desk.person, Role.ADMIN, Role.EDITOR)
    ends_at = await set_end(runtime, desk.acme, desk.person, Role.EDITOR, PAST)

    due = RoleEnding(desk.acme, desk.person.id, Role.EDITOR, ends_at)
    await end_role(Systems(runtime.work, runtime.management, None), due)

    assert "ended the editor role of Vera" in timeline_of(await desk.browser.text(desk.both))


def timeline_of(page: str) -> str:
    """Return the part of the page that tells what happened."""
    return page[page.index('id="timeline-heading"') : page.index('id="raw-tokens-heading"')]
