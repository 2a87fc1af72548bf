"""A domain lets people join only once it is verified, and for one organization at a time."""

from __future__ import annotations

import asyncio

import dns.rcode
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.email_domains import queries
from saas_app.identity.membership_changes import note_change
from saas_app.logto import ManagementClient
from saas_app.models import DomainProof
from saas_app.rbac.permissions import Role
from tests.clients import SAME_ORIGIN
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.email_domains.conftest import Place, Places
from tests.integration.invitations.conftest import Fault, Gate
from tests.integration.organizations.settings_pages import answer_of, text_of


async def test_an_added_domain_has_no_effect_until_its_record_is_found(place: Place) -> None:
    await place.claim()
    page = await text_of(place.browser, place.root)
    assert f"_workroom.{place.domain}" in page
    assert "Not verified" in page
    assert await place.in_logto() == []

    assert "No TXT record was found" in await place.verify(expect=422)
    assert await place.in_logto() == []
    assert await place.actions() == ["domain.claim"]

    await place.publish()
    await place.verify()

    assert await place.in_logto() == [place.domain]
    assert "Verified by TXT record" in await text_of(place.browser, place.root)
    claimed, verified = await place.events()
    assert (verified.actor_id, verified.target_name) == (place.admin.id, place.domain)
    assert (verified.before, verified.after) == (
        {"verified": False},
        {"verified": True, "proof": "dns", "roles": []},
    )
    assert claimed.action == "domain.claim"


async def test_the_right_record_is_found_among_others(place: Place) -> None:
    await place.claim()
    place.nameserver.records[f"_workroom.{place.domain}"] = [
        "v=spf1 -all",
        "workroom-domain-verification=other",
    ]
    assert "2 TXT records were found" in await place.verify(expect=422)
    await place.publish()
    await place.verify()
    assert await place.in_logto() == [place.domain]


async def test_the_record_of_one_organization_verifies_nothing_for_another(places: Places) -> None:
    first = await places.new()
    second = await places.new(first.domain)
    await first.claim()
    await second.claim()
    await first.publish()
    assert "One TXT record was found" in await second.verify(expect=422)
    assert await second.in_logto() == []


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
async def test_a_failure_of_dns_is_told_and_changes_nothing(place: Place, rcode: dns.rcode.Rcode) -> None:
    await place.claim()
    place.nameserver.failures[f"_workroom.{place.domain}"] = rcode
    page = await place.verify(expect=422)
    assert f"DNS returned an error ({dns.rcode.to_text(rcode)}). Nothing was changed." in page
    assert await place.in_logto() == []
    assert await place.actions() == ["domain.claim"]


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "gmail.com",
        "GMAIL.COM.",
        "team.gmail.com",
        "ｇｍａｉｌ.com",
        "mailinator.com",
        "co.uk",
        "github.io",
        "com",
        "sam@example.test",
        "../users",
        "localhost",
    ],
)
async def test_a_domain_nobody_may_claim_is_refused_with_its_reason(place: Place, domain: str) -> None:
    page = await answer_of(place.browser, f"{place.root}/domains", {"domain": domain}, 422)
    assert "domain-error" in page
    assert f'value="{domain}"' in page
    assert await place.in_logto() == []
    assert await place.actions() == []
    for proof in ("dns", "address"):
        form = {"domain": domain, "proof": proof}
        page = await answer_of(place.browser, f"{place.root}/domains/verify", form, 422)
        assert "This domain is no longer on the list." in page
    assert await place.in_logto() == []


async def test_one_domain_has_one_form(place: Place) -> None:
    await place.browser.post(f"{place.root}/domains", {"domain": f" @{place.domain.upper()}. "})
    again = await answer_of(place.browser, f"{place.root}/domains", {"domain": place.domain}, 422)
    assert "is already on the list" in again
    label = place.domain.removesuffix(".example")
    await place.browser.post(f"{place.root}/domains", {"domain": f"BÜCHER-{label}.example"})
    page = await text_of(place.browser, place.root)
    assert f"bücher-{label}.example" in page
    assert "<code>_workroom.xn--" in page


async def test_an_organization_claims_a_bounded_number_of_domains(place: Place) -> None:
    for number in range(20):
        await place.browser.post(f"{place.root}/domains", {"domain": f"n{number}.{place.domain}"})
    page = await answer_of(place.browser, f"{place.root}/domains", {"domain": place.domain}, 422)
    assert "at most 20 domains" in page


async def test_an_admins_own_verified_address_is_proof(places: Places) -> None:
    place = await places.new(has_address=True)
    await place.claim()
    assert "Verify with" in await text_of(place.browser, place.root)
    await place.verify("address")
    assert await place.in_logto() == [place.domain]
    found = await place.find_claim()
    assert found is not None
    assert (found.proof, found.proved_by) == (DomainProof.ADDRESS, place.admin.id)


async def test_an_address_is_proof_of_exactly_its_own_domain_now(
    places: Places, management: ManagementClient
) -> None:
    place = await places.new(has_address=True)
    for other in (f"sub.{place.domain}", "example"):
        form = {"domain": other, "proof": "address"}
        await place.browser.post(
            f"{place.root}/domains", {"domain": f"sub.{place.domain}"}, 303 if "sub" in other else 422
        )
        await answer_of(place.browser, f"{place.root}/domains/verify", form, 422)
    await place.claim()
    path = f"/users/{place.admin.id}"
    await management._transport.call(
        "PATCH", path, body={"primaryEmail": f"{place.admin.username}@moved.example"}
    )
    assert "has no verified email address" in await place.verify("address", 422)
    assert await place.in_logto() == []


async def test_an_address_elsewhere_is_no_proof(place: Place) -> None:
    await place.claim()
    assert "Verify with" not in await text_of(place.browser, place.root)
    assert "has no verified email address" in await place.verify("address", 422)
    assert await place.in_logto() == []


async def test_what_a_social_sign_in_told_is_no_proof(places: Places, management: ManagementClient) -> None:
    place = await places.new(has_address=True)
    await place.claim()
    address = f"{place.admin.username}@{place.domain}"
    await management._transport.call(
        "PUT",
        f"/users/{place.admin.id}/identities/naver",
        body={"userId": "n1", "details": {"id": "n1", "email": address}},
    )
    assert "came from a social sign-in" in await place.verify("address", 422)
    assert await place.in_logto() == []


async def test_of_two_that_verify_at_once_one_gets_the_domain(places: Places) -> None:
    first = await places.new(has_address=True)
    second = await places.new(first.domain, has_address=True)
    for place in (first, second):
        await place.claim()

    async def press(place: Place) -> int:
        form = {"domain": place.domain, "proof": "address"}
        answer = await place.browser.app.post(f"{place.root}/domains/verify", form=form, headers=SAME_ORIGIN)
        return int(answer.status_code)

    answers = await asyncio.gather(press(first), press(second))

    assert sorted(answers) == [303, 422]
    assert sorted([await first.in_logto(), await second.in_logto()]) == [[], [first.domain]]


async def test_a_record_takes_the_domain_from_an_address_and_an_address_from_nobody(places: Places) -> None:
    squatter = await places.new(has_address=True)
    owner = await places.new(squatter.domain)
    await squatter.claim()
    await squatter.verify("address")
    await owner.claim()
    await owner.publish()

    await owner.verify()

    assert (await squatter.in_logto(), await owner.in_logto()) == ([], [owner.domain])
    lapsed = (await squatter.events())[-1]
    assert (lapsed.action, lapsed.actor_id) == ("domain.lapse", "system")
    assert owner.id not in str(lapsed.after)
    assert "Another organization has verified" in await squatter.verify("address", 422)
    assert (await squatter.in_logto(), await owner.in_logto()) == ([], [owner.domain])


async def test_whoever_is_demoted_takes_no_domain_from_another_organization(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = await places.new(has_address=True)
    place = await places.new(holder.domain)
    await holder.claim()
    await holder.verify("address")
    await place.claim()
    await place.publish()
    find_holder = queries.find_holder

    async def demote(db: AsyncSession, name: str) -> queries.Claim | None:
        monkeypatch.setattr(queries, "find_holder", find_holder)
        await note_change(place.runtime.work, place.id, place.admin.id)
        return await find_holder(db, name)

    monkeypatch.setattr(queries, "find_holder", demote)
    await place.verify(expect=409)
    assert await holder.in_logto() == [holder.domain]


async def test_a_record_is_outranked_only_when_it_is_gone(places: Places) -> None:
    before = await places.new()
    after = await places.new(before.domain)
    await before.claim()
    await before.publish()
    await before.verify()
    await after.claim()
    await after.publish()
    assert "Another organization has verified" in await after.verify(expect=422)
    assert (await before.in_logto(), await after.in_logto()) == ([before.domain], [])

    before.unpublish()
    await after.publish()
    await after.verify()
    assert (await before.in_logto(), await after.in_logto()) == ([], [before.domain])


async def test_a_removed_domain_lets_nobody_join_and_may_be_claimed_again(place: Place) -> None:
    await place.claim()
    await place.publish()
    await place.verify()
    await place.browser.post(f"{place.root}/domains/remove", {"domain": place.domain})
    await place.browser.post(f"{place.root}/domains/remove", {"domain": place.domain})
    assert await place.in_logto() == []
    assert await place.find_claim() is None
    assert await place.actions() == ["domain.claim", "domain.verify", "domain.remove"]
    await place.claim()
    assert "One TXT record was found" in await place.verify(expect=422)  # the old one: each claim has its own


async def test_a_domain_set_in_logto_is_named_and_can_be_removed(place: Place) -> None:
    await place.management.add_joining_domain(place.id, place.domain.upper())
    page = await text_of(place.browser, place.root)
    assert "Set in Logto, not verified" in page
    await place.browser.post(f"{place.root}/domains/remove", {"domain": place.domain.upper()})
    assert await place.in_logto() == []


async def test_nobody_lets_people_join_with_roles_beyond_their_own(
    place: Place, make: Factory, open_browser: OpenBrowser
) -> None:
    management = place.management
    scopes = [s for s in await management.list_organization_scopes() if s.name == "organization:update"]
    role = await management.create_organization_role("caretaker", "Settings only", "User")
    try:
        await management.replace_role_scopes(role.id, [scope.id for scope in scopes])
        person = await make.person("Stew")
        await management.add_members(place.id, [person.id])
        await management.assign_roles(place.id, person.id, ["caretaker"])
        admin_role = next(r for r in await management.list_organization_roles() if r.name == "admin")
        await management.replace_joining_roles(place.id, [admin_role.id])
        await place.claim()
        await place.publish()
        browser = await open_browser(person)
        form = {"domain": place.domain, "proof": "dns"}
        refused = await answer_of(browser, f"{place.root}/domains/verify", form, 403)
        assert "which you do not have" in refused
        assert await place.in_logto() == []
    finally:
        await management._transport.call("DELETE", f"/organization-roles/{role.id}")


async def test_who_is_demoted_while_dns_is_asked_changes_nothing(place: Place) -> None:
    await place.claim()
    await place.publish()
    loop = asyncio.get_running_loop()

    def demote(name: str) -> None:
        if place.domain in name:
            note = note_change(place.runtime.work, place.id, place.admin.id)
            asyncio.run_coroutine_threadsafe(note, loop).result(30)

    place.nameserver.before = demote
    try:
        await place.verify(expect=409)
    finally:
        place.nameserver.before = None
    assert await place.in_logto() == []
    found = await place.find_claim()
    assert found is not None
    assert not found.is_verified


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
async def test_only_members_who_may_change_the_organization_touch_its_domains(
    place: Place, make: Factory, open_browser: OpenBrowser, role: Role
) -> None:
    await place.claim()
    await place.publish()
    person = await make.person()
    await make.join(place.id, person, role)
    browser = await open_browser(person)
    for path in ("", "/verify", "/remove"):
        await browser.post(f"{place.root}/domains{path}", {"domain": place.domain}, 403)
    assert await place.in_logto() == []
    assert await place.find_claim() is not None


@pytest.mark.parametrize(
    ("fault", "status", "is_verified"),
    [
        (
            Fault("POST", "/jit/email-domains", 422, {"code": "guard.invalid_input", "message": "No."}),
            422,
            False,
        ),
        (Fault("POST", "/jit/email-domains", 500, {"message": "Down."}), 503, True),
    ],
)
async def test_when_logto_fails_the_page_says_what_holds(
    place: Place, gate: tuple[Gate, str], settings: Settings, fault: Fault, status: int, is_verified: bool
) -> None:
    await place.claim()
    await place.publish()
    assert settings.management is not None
    failing = settings.management.model_copy(update={"endpoint": gate[1]})
    gate[0].fail(fault)
    app = create_app(settings.model_copy(update={"management": failing}))
    async with app.test_app():
        client = app.test_client()
        client.cookie_jar = place.browser.app.cookie_jar
        form = {"domain": place.domain, "proof": "dns"}
        answer = await client.post(f"{place.root}/domains/verify", form=form, headers=SAME_ORIGIN)
    assert answer.status_code == status
    assert await place.in_logto() == []
    found = await place.find_claim()
    assert found is not None
    assert found.is_verified is is_verified
    page = await text_of(place.browser, place.root)
    assert ("Not in effect" in page) is is_verified
    await place.verify()
    assert await place.in_logto() == [place.domain]
