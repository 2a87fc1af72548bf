"""``saas-app reconcile`` looks at every verified domain again."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta

import dns.rcode
import pytest
from publicsuffixlist import PublicSuffixList

from saas_app.config import Settings
from saas_app.email_domains import names
from saas_app.rbac.permissions import Role
from tests.factories import Factory
from tests.integration.email_domains.conftest import Place, Places


@pytest.fixture
async def verified(place: Place) -> Place:
    """A place whose domain is verified by a TXT record."""
    await place.claim()
    await place.publish()
    await place.verify()
    return place


async def test_a_domain_that_is_still_proved_stays(verified: Place) -> None:
    assert await verified.reconcile() == []
    assert await verified.in_logto() == [verified.domain]


async def test_a_missing_record_costs_the_domain_after_the_grace_and_not_before(verified: Place) -> None:
    verified.unpublish()
    (told,) = await verified.reconcile()
    assert "is missing. It stops working at" in told
    assert await verified.in_logto() == [verified.domain]
    await verified.let_pass(timedelta(days=2, hours=23))
    await verified.reconcile()
    assert await verified.in_logto() == [verified.domain]

    await verified.let_pass(timedelta(days=3, minutes=1))
    (told,) = await verified.reconcile()

    assert "People can no longer join through it" in told
    assert await verified.in_logto() == []
    lapsed = (await verified.events())[-1]
    assert (lapsed.action, lapsed.actor_id) == ("domain.lapse", "system")
    assert await verified.reconcile() == []
    await verified.publish()
    await verified.verify()
    assert await verified.in_logto() == [verified.domain]


async def test_a_record_that_is_back_ends_the_grace(verified: Place) -> None:
    kept = verified.nameserver.records.pop(f"_workroom.{verified.domain}")
    await verified.reconcile()
    verified.nameserver.records[f"_workroom.{verified.domain}"] = kept
    assert await verified.reconcile() == []
    found = await verified.find_claim()
    assert found is not None
    assert found.failing_since is None


@pytest.fixture
def as_suffix(verified: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A verified domain that has become a public suffix since."""
    monkeypatch.setattr(names, "_public_suffixes", lambda: PublicSuffixList([verified.domain]))
    return verified


async def test_a_domain_that_has_become_a_public_suffix_loses_its_effect(as_suffix: Place) -> None:
    await as_suffix.reconcile()
    await as_suffix.let_pass(timedelta(days=3, minutes=1))
    await as_suffix.reconcile()
    assert await as_suffix.in_logto() == []


async def test_a_domain_that_has_become_a_public_suffix_cannot_be_verified(as_suffix: Place) -> None:
    page = await as_suffix.verify(expect=422)
    assert f"Anyone can register a domain under {as_suffix.domain}" in page


async def test_dns_that_does_not_answer_is_put_up_with_ten_times_as_long(verified: Place) -> None:
    verified.nameserver.failures[f"_workroom.{verified.domain}"] = dns.rcode.SERVFAIL
    await verified.reconcile()
    await verified.let_pass(timedelta(days=29))
    await verified.reconcile()
    assert await verified.in_logto() == [verified.domain]
    await verified.let_pass(timedelta(days=31))
    await verified.reconcile()
    assert await verified.in_logto() == []


async def test_a_domain_set_in_logto_is_reported_and_loses_its_effect(place: Place) -> None:
    await place.management.add_joining_domain(place.id, place.domain)

    (told,) = await place.reconcile()

    assert "was set in Logto without being verified" in told
    assert await place.in_logto() == []
    found = await place.find_claim()
    assert found is not None
    assert not found.is_verified
    assert await place.actions() == ["domain.lapse"]
    assert await place.reconcile() == []
    await place.publish()
    await place.verify()
    assert await place.in_logto() == [place.domain]


@pytest.mark.parametrize("name", ["gmail.com", "not a domain", "OTHER.{domain}"])
async def test_odd_names_set_in_logto_lose_their_effect_too(place: Place, name: str) -> None:
    await place.management.add_joining_domain(place.id, name.format(domain=place.domain))
    await place.reconcile()
    assert await place.in_logto() == []


async def test_another_spelling_in_logto_goes_and_the_verified_one_stays(verified: Place) -> None:
    await verified.management.add_joining_domain(verified.id, verified.domain.upper())
    assert len(await verified.reconcile()) == 1
    assert await verified.in_logto() == [verified.domain]


async def test_a_domain_removed_in_logto_is_not_verified_any_more(verified: Place) -> None:
    await verified.management.remove_joining_domain(verified.id, verified.domain)
    (told,) = await verified.reconcile()
    assert "is not set in Logto" in told
    found = await verified.find_claim()
    assert found is not None
    assert not found.is_verified


@pytest.mark.parametrize("loss", ["role", "address", "membership", "suspension"])
async def test_an_address_counts_while_its_owner_may_change_the_organization(
    places: Places, make: Factory, loss: str
) -> None:
    place = await places.new(has_address=True)
    await place.claim()
    await place.verify("address")
    assert await place.reconcile() == []
    admin, call = place.admin, place.management._transport.call
    if loss == "role":
        await make.give_roles(place.id, admin, Role.EDITOR)
    elif loss == "membership":
        await place.management.remove_member(place.id, admin.id)
    elif loss == "address":
        await call("PATCH", f"/users/{admin.id}", body={"primaryEmail": f"{admin.username}@else.example"})
    else:
        await call("PATCH", f"/users/{admin.id}/is-suspended", body={"isSuspended": True})

    (told,) = await place.reconcile(timedelta(0))

    assert "no longer has the address or the role" in told
    assert await place.in_logto() == []


async def test_the_data_of_a_deleted_organization_frees_its_domain(verified: Place, places: Places) -> None:
    other = await places.new(verified.domain)
    await other.claim()
    await verified.management.delete_organization(verified.id)
    await verified.reconcile()
    assert await verified.find_claim() is None
    verified.unpublish()
    await other.publish()
    await other.verify()
    assert await other.in_logto() == [other.domain]


async def test_the_command_asks_the_nameserver_of_the_settings(verified: Place, settings: Settings) -> None:
    verified.unpublish()
    host, port = verified.nameserver.address
    assert settings.management is not None
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "LOGTO_ENDPOINT": settings.logto_endpoint,
        "LOGTO_APP_ID": settings.logto_app_id,
        "LOGTO_MANAGEMENT_APP_ID": settings.management.app_id,
        "LOGTO_MANAGEMENT_APP_SECRET": settings.management.app_secret.get_secret_value(),
        "DOMAIN_NAMESERVERS": f"{host}:{port}",
        "DOMAIN_GRACE": "0",
    }
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "saas_app", "reconcile", "--organization", verified.id,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await command.communicate()
    assert command.returncode == 0, output
    assert b"People can no longer join through it" in output
    assert await verified.in_logto() == []
