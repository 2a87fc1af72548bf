"""``saas-app reconcile`` checks every verified domain again."""

from __future__ import annotations

import asyncio
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
from tests.integration.killed import environment_of


async def test_a_domain_whose_record_is_still_there_stays(verified: Place) -> None:
    assert await verified.reconcile() == []
    assert await verified.in_logto() == [verified.domain]


async def test_a_missing_record_is_reported_and_the_domain_stays_for_the_grace_period(
    verified: Place,
) -> None:
    verified.unpublish()

    (repair,) = await verified.reconcile()

    assert "is missing. It stops working at" in repair
    assert await verified.in_logto() == [verified.domain]
    await verified.age_first_failure(timedelta(days=2, hours=23))
    await verified.reconcile()
    assert await verified.in_logto() == [verified.domain]


@pytest.fixture
async def lapsed(verified: Place) -> Place:
    """A place whose record has been missing for longer than the grace period."""
    verified.unpublish()
    await verified.reconcile()
    await verified.age_first_failure(timedelta(days=3, minutes=1))
    return verified


async def test_a_domain_without_a_record_lapses_after_the_grace_period(lapsed: Place) -> None:
    (repair,) = await lapsed.reconcile()

    assert "People can no longer join through it" in repair
    assert await lapsed.in_logto() == []
    event = (await lapsed.events())[-1]
    assert (event.action, event.actor_id) == ("domain.lapse", "system")
    assert await lapsed.reconcile() == []


async def test_a_lapsed_domain_can_be_verified_again(lapsed: Place) -> None:
    await lapsed.reconcile()
    await lapsed.publish()

    await lapsed.verify()

    assert await lapsed.in_logto() == [lapsed.domain]


async def test_a_record_that_is_back_ends_the_grace_period(verified: Place) -> None:
    kept = verified.nameserver.records.pop(f"_workroom.{verified.domain}")
    await verified.reconcile()
    verified.nameserver.records[f"_workroom.{verified.domain}"] = kept
    assert await verified.reconcile() == []
    found = await verified.find_claim()
    assert found is not None
    assert found.failing_since is None


@pytest.fixture
def as_suffix(verified: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place whose verified domain has become a public suffix."""
    monkeypatch.setattr(names, "_public_suffixes", lambda: PublicSuffixList([verified.domain]))
    return verified


async def test_a_domain_that_has_become_a_public_suffix_lapses(as_suffix: Place) -> None:
    await as_suffix.reconcile()
    await as_suffix.age_first_failure(timedelta(days=3, minutes=1))
    await as_suffix.reconcile()
    assert await as_suffix.in_logto() == []


async def test_a_domain_that_has_become_a_public_suffix_cannot_be_verified(as_suffix: Place) -> None:
    page = await as_suffix.verify(expect=422)
    assert f"Anyone can register a domain under {as_suffix.domain}" in page


async def test_while_dns_fails_the_grace_period_is_ten_times_as_long(verified: Place) -> None:
    verified.nameserver.failures[f"_workroom.{verified.domain}"] = dns.rcode.SERVFAIL
    await verified.reconcile()
    await verified.age_first_failure(timedelta(days=29))
    await verified.reconcile()
    assert await verified.in_logto() == [verified.domain]
    await verified.age_first_failure(timedelta(days=31))
    await verified.reconcile()
    assert await verified.in_logto() == []


async def test_a_domain_set_in_logto_is_reported_and_removed(place: Place) -> None:
    await place.management.add_joining_domain(place.id, place.domain)

    (repair,) = await place.reconcile()

    assert "was set in Logto without being verified" in repair
    assert await place.in_logto() == []
    found = await place.find_claim()
    assert found is not None
    assert not found.is_verified
    assert await place.actions() == ["domain.lapse"]
    assert await place.reconcile() == []


async def test_a_domain_that_was_set_in_logto_can_be_verified(place: Place) -> None:
    await place.management.add_joining_domain(place.id, place.domain)
    await place.reconcile()
    await place.publish()

    await place.verify()

    assert await place.in_logto() == [place.domain]


@pytest.mark.parametrize("name", ["gmail.com", "not a domain", "OTHER.{domain}"])
async def test_invalid_domains_set_in_logto_are_removed(place: Place, name: str) -> None:
    await place.management.add_joining_domain(place.id, name.format(domain=place.domain))
    await place.reconcile()
    assert await place.in_logto() == []


async def test_another_spelling_set_in_logto_is_removed_and_the_verified_one_stays(verified: Place) -> None:
    await verified.management.add_joining_domain(verified.id, verified.domain.upper())
    assert len(await verified.reconcile()) == 1
    assert await verified.in_logto() == [verified.domain]


async def test_a_domain_removed_in_logto_is_no_longer_verified(verified: Place) -> None:
    await verified.management.remove_joining_domain(verified.id, verified.domain)
    (repair,) = await verified.reconcile()
    assert "is not set in Logto" in repair
    found = await verified.find_claim()
    assert found is not None
    assert not found.is_verified


@pytest.mark.parametrize("loss", ["role", "address", "membership", "suspension"])
async def test_an_address_no_longer_proves_a_domain_once_its_owner_loses_access(
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

    (repair,) = await place.reconcile(timedelta(0))

    assert "no longer has the address or the role" in repair
    assert await place.in_logto() == []


async def test_the_domain_of_a_deleted_organization_can_be_verified_by_another(
    verified: Place, places: Places
) -> None:
    other = await places.new(verified.domain)
    await other.claim()
    await verified.management.delete_organization(verified.id)
    await verified.reconcile()
    assert await verified.find_claim() is None
    verified.unpublish()
    await other.publish()
    await other.verify()
    assert await other.in_logto() == [other.domain]


async def test_the_command_queries_the_configured_nameserver(verified: Place, settings: Settings) -> None:
    verified.unpublish()
    host, port = verified.nameserver.address
    environment = {
        **environment_of(settings),
        "LOGTO_APP_ID": settings.logto_app_id,
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
