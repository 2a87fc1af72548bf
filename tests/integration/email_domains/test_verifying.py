"""People join by a domain only once it is verified, and one organization at a time holds it."""

from __future__ import annotations

import asyncio

import dns.rcode
import pytest
from quart import Quart

from saas_app.db.session import DatabaseSession
from saas_app.email_domains import queries
from saas_app.identity.membership_changes import note_change
from saas_app.logto import ManagementClient
from saas_app.models import DomainProof
from saas_app.rbac.permissions import Role
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.email_domains.conftest import Place, Places
from tests.integration.faulty_logto import Fault, Gate


async def test_a_claimed_domain_has_no_effect_and_the_page_shows_its_record(place: Place) -> None:
    await place.claim()

    page = await place.browser.text(place.settings)
    assert f"_workroom.{place.domain}" in page
    assert "Not verified" in page
    assert await place.in_logto() == []


async def test_a_domain_without_a_record_is_not_verified(place: Place) -> None:
    await place.claim()

    assert "No TXT record was found" in await place.verify(expect=422)

    assert await place.in_logto() == []
    assert await place.actions() == ["domain.claim"]


async def test_a_domain_whose_record_is_found_is_verified_and_recorded(place: Place) -> None:
    await place.claim()
    await place.publish()

    await place.verify()

    assert await place.in_logto() == [place.domain]
    assert "Verified by TXT record" in await place.browser.text(place.settings)
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
async def test_a_failure_of_dns_is_shown_and_changes_nothing(place: Place, rcode: dns.rcode.Rcode) -> None:
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
async def test_a_domain_that_nobody_may_claim_is_rejected(shared_place: Place, domain: str) -> None:
    page = await shared_place.browser.submit(f"{shared_place.settings}/domains", {"domain": domain}, 422)
    assert "domain-error" in page
    assert f'value="{domain}"' in page
    assert await shared_place.in_logto() == []
    assert await shared_place.actions() == []
    for proof in ("dns", "address"):
        form = {"domain": domain, "proof": proof}
        page = await shared_place.browser.submit(f"{shared_place.settings}/domains/verify", form, 422)
        assert "This domain is no longer on the list." in page
    assert await shared_place.in_logto() == []


async def test_another_spelling_of_a_claimed_domain_is_already_on_the_list(place: Place) -> None:
    await place.browser.post(f"{place.settings}/domains", {"domain": f" @{place.domain.upper()}. "})
    again = await place.browser.submit(f"{place.settings}/domains", {"domain": place.domain}, 422)
    assert "is already on the list" in again


async def test_an_international_domain_is_shown_as_typed_and_its_record_in_ascii(place: Place) -> None:
    label = place.domain.removesuffix(".example")
    await place.browser.post(f"{place.settings}/domains", {"domain": f"BÜCHER-{label}.example"})
    page = await place.browser.text(place.settings)
    assert f"bücher-{label}.example" in page
    assert "<code>_workroom.xn--" in page


async def test_an_organization_claims_a_bounded_number_of_domains(place: Place) -> None:
    for number in range(20):
        await place.browser.post(f"{place.settings}/domains", {"domain": f"n{number}.{place.domain}"})
    page = await place.browser.submit(f"{place.settings}/domains", {"domain": place.domain}, 422)
    assert "at most 20 domains" in page


async def test_an_admins_own_verified_address_is_proof(places: Places) -> None:
    place = await places.new(has_address=True)
    await place.claim()
    assert "Verify with" in await place.browser.text(place.settings)
    await place.verify("address")
    assert await place.in_logto() == [place.domain]
    found = await place.find_claim()
    assert found is not None
    assert (found.proof, found.proved_by) == (DomainProof.ADDRESS, place.admin.id)


async def test_an_address_proves_only_its_current_domain(
    places: Places, management: ManagementClient
) -> None:
    place = await places.new(has_address=True)
    for other in (f"sub.{place.domain}", "example"):
        form = {"domain": other, "proof": "address"}
        await place.browser.post(
            f"{place.settings}/domains", {"domain": f"sub.{place.domain}"}, 303 if "sub" in other else 422
        )
        await place.browser.submit(f"{place.settings}/domains/verify", form, 422)
    await place.claim()
    path = f"/users/{place.admin.id}"
    await management._transport.call(
        "PATCH", path, body={"primaryEmail": f"{place.admin.username}@moved.example"}
    )
    assert "has no verified email address" in await place.verify("address", 422)
    assert await place.in_logto() == []


async def test_an_address_at_another_domain_is_no_proof(place: Place) -> None:
    await place.claim()
    assert "Verify with" not in await place.browser.text(place.settings)
    assert "has no verified email address" in await place.verify("address", 422)
    assert await place.in_logto() == []


async def test_an_address_from_a_social_sign_in_is_no_proof(
    places: Places, management: ManagementClient
) -> None:
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


async def test_of_two_organizations_that_verify_a_domain_at_once_one_gets_it(places: Places) -> None:
    first = await places.new(has_address=True)
    second = await places.new(first.domain, has_address=True)
    for place in (first, second):
        await place.claim()

    async def press(place: Place) -> int:
        form = {"domain": place.domain, "proof": "address"}
        return (await place.browser.post(f"{place.settings}/domains/verify", form, None)).status_code

    answers = await asyncio.gather(press(first), press(second))

    assert sorted(answers) == [303, 422]
    assert sorted([await first.in_logto(), await second.in_logto()]) == [[], [first.domain]]


async def test_a_dns_record_outranks_an_address(places: Places) -> None:
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


async def test_an_admin_demoted_meanwhile_takes_no_domain_from_another_organization(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = await places.new(has_address=True)
    place = await places.new(holder.domain)
    await holder.claim()
    await holder.verify("address")
    await place.claim()
    await place.publish()
    find_holder = queries.find_holder

    async def demote(db: DatabaseSession, name: str) -> queries.Claim | None:
        monkeypatch.setattr(queries, "find_holder", find_holder)
        await note_change(place.runtime.work, place.id, place.admin.id)
        return await find_holder(db, name)

    monkeypatch.setattr(queries, "find_holder", demote)
    await place.verify(expect=409)
    assert await holder.in_logto() == [holder.domain]


@pytest.fixture
async def successor(verified: Place, places: Places) -> Place:
    """A second place that has published its record for a domain that the first place has verified."""
    after = await places.new(verified.domain)
    await after.claim()
    await after.publish()
    return after


async def test_a_domain_stays_with_its_holder_while_the_holders_record_exists(
    verified: Place, successor: Place
) -> None:
    assert "Another organization has verified" in await successor.verify(expect=422)
    assert (await verified.in_logto(), await successor.in_logto()) == ([verified.domain], [])


async def test_a_domain_changes_hands_once_its_holders_record_is_gone(
    verified: Place, successor: Place
) -> None:
    verified.unpublish()
    await successor.publish()

    await successor.verify()

    assert (await verified.in_logto(), await successor.in_logto()) == ([], [verified.domain])


async def test_a_removed_domain_lets_nobody_join(verified: Place) -> None:
    for _ in range(2):  # removing it twice does no harm
        await verified.browser.post(f"{verified.settings}/domains/remove", {"domain": verified.domain})
    assert await verified.in_logto() == []
    assert await verified.find_claim() is None
    assert await verified.actions() == ["domain.claim", "domain.verify", "domain.remove"]


async def test_a_domain_that_is_claimed_again_needs_a_new_record(verified: Place) -> None:
    await verified.browser.post(f"{verified.settings}/domains/remove", {"domain": verified.domain})

    await verified.claim()

    assert "One TXT record was found" in await verified.verify(expect=422)


async def test_a_domain_set_in_logto_is_listed_and_can_be_removed(place: Place) -> None:
    await place.management.add_joining_domain(place.id, place.domain.upper())
    page = await place.browser.text(place.settings)
    assert "Set in Logto, not verified" in page
    await place.browser.post(f"{place.settings}/domains/remove", {"domain": place.domain.upper()})
    assert await place.in_logto() == []


async def test_nobody_verifies_a_domain_whose_default_role_exceeds_their_permissions(
    place: Place, make: Factory, open_browser: OpenBrowser, steward: str
) -> None:
    roles = await place.management.list_organization_roles()
    await place.management.replace_joining_roles(
        place.id, [role.id for role in roles if role.name == "admin"]
    )
    await place.claim()
    await place.publish()
    browser = await open_browser(await make.member(place.id, "Stew", steward))

    form = {"domain": place.domain, "proof": "dns"}
    refused = await browser.submit(f"{place.settings}/domains/verify", form, 403)

    assert "which you do not have" in refused
    assert await place.in_logto() == []


async def test_an_admin_demoted_while_dns_is_queried_verifies_nothing(place: Place) -> None:
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
async def test_members_without_the_permission_cannot_change_domains(
    place: Place, make: Factory, open_browser: OpenBrowser, role: Role
) -> None:
    await place.claim()
    await place.publish()
    browser = await open_browser(await make.member(place.id, "Sam", role))
    for path in ("", "/verify", "/remove"):
        await browser.post(f"{place.settings}/domains{path}", {"domain": place.domain}, 403)
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
async def test_when_logto_fails_the_page_shows_the_state_of_the_domain(
    place: Place, gate: Gate, faulty_app: Quart, fault: Fault, status: int, is_verified: bool
) -> None:
    await place.claim()
    await place.publish()
    gate.fail(fault)

    form = {"domain": place.domain, "proof": "dns"}
    await place.browser.at(faulty_app).post(f"{place.settings}/domains/verify", form, status)

    assert await place.in_logto() == []
    found = await place.find_claim()
    assert found is not None
    assert found.is_verified is is_verified
    assert ("Not in effect" in await place.browser.text(place.settings)) is is_verified
    await place.verify()  # once Logto responds
    assert await place.in_logto() == [place.domain]
