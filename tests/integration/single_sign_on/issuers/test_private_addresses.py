"""An inspection never connects to a private address."""

from __future__ import annotations

from typing import Any

import pytest

from saas_app.single_sign_on.checked_hosts import CheckedHosts
from saas_app.single_sign_on.issuers import IssuerFault, IssuerInspector, IssuerRefused
from saas_app.single_sign_on.visits import ProviderVisits
from tests.integration.single_sign_on.issuers.conftest import (
    HOST,
    KEYS,
    METADATA,
    PUBLIC,
    Certificates,
    Inspect,
    Internet,
    PublishingProvider,
    Refuse,
    publishing,
)

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize("second", ["127.0.0.1", "::1"])
async def test_a_name_that_becomes_private_after_the_check_gains_nothing(
    publisher: PublishingProvider, inspect: Inspect, internet: Internet, second: str
) -> None:
    """The provider's nameserver tells the second and every later look-up a private address (rebinding)."""
    internet.names[HOST] = [(PUBLIC,), (second,)]

    await inspect(publisher.issuer)

    assert internet.looked_up == [HOST]
    assert set(internet.connected) == {PUBLIC}


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        (PUBLIC, "127.0.0.1"),
        ("127.0.0.1", PUBLIC),
        ("169.254.169.254",),
        ("10.0.0.1",),
        ("100.64.0.1",),
        ("0.0.0.0",),  # noqa: S104
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("64:ff9b::7f00:1",),
        ("2002:7f00:1::",),
        ("fd00::1",),
        ("2606:4700::1111", "fe80::1"),
    ],
)
async def test_a_host_with_any_private_address_is_never_connected_to(
    publisher: PublishingProvider, refuse: Refuse, internet: Internet, addresses: tuple[str, ...]
) -> None:
    internet.names[HOST] = [addresses]

    refused = await refuse(publisher.issuer)

    assert refused.kind == IssuerFault.PRIVATE_HOST
    assert HOST in refused.reason
    assert "private network" in refused.reason
    assert internet.connected == []
    assert publisher.received == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "localhost", "sso.internal"])
async def test_an_address_that_was_never_read_is_not_connected_to(
    refuse: Refuse, internet: Internet, private_service: tuple[int, list[str]], host: str
) -> None:
    port, connected = private_service

    refused = await refuse(f"https://{host}:{port}")

    assert refused.kind == IssuerFault.ADDRESS
    assert "on the internet" in refused.reason
    assert (internet.looked_up, internet.connected, connected) == ([], [], [])


async def test_an_issuer_without_tls_is_not_connected_to(refuse: Refuse, internet: Internet) -> None:
    refused = await refuse(f"http://{HOST}")

    assert refused.kind == IssuerFault.ADDRESS
    assert internet.looked_up == []


async def test_a_connection_looks_nothing_up(internet: Internet) -> None:
    hosts = CheckedHosts(internet.look_up, allows_private=False)

    with pytest.raises(OSError, match="was not checked"):
        await hosts.resolve(HOST, 443)

    assert internet.looked_up == []


@pytest.mark.parametrize("path", [METADATA, KEYS])
async def test_a_redirect_is_not_followed(
    publisher: PublishingProvider, refuse: Refuse, private_service: tuple[int, list[str]], path: str
) -> None:
    port, connected = private_service
    publisher.answer(path, "", 302, Location=f"http://127.0.0.1:{port}/latest/meta-data")

    refused = await refuse(publisher.issuer)

    assert refused.kind == IssuerFault.REDIRECT
    assert "redirects" in refused.reason
    assert connected == []


@pytest.mark.parametrize(
    "member", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
@pytest.mark.parametrize(
    "endpoint",
    ["http://login.example.com/x", "https://127.0.0.1:{port}/x", "https://ada@login.example.com/x", "/x", 7],
)
async def test_every_endpoint_names_a_host_on_the_internet(
    publisher: PublishingProvider,
    refuse: Refuse,
    private_service: tuple[int, list[str]],
    member: str,
    endpoint: Any,
) -> None:
    port, connected = private_service
    publisher.metadata[member] = endpoint.format(port=port) if isinstance(endpoint, str) else endpoint

    refused = await refuse(publisher.issuer)

    assert refused.kind == IssuerFault.ENDPOINT
    assert f"“{member}”" in refused.reason
    assert connected == []


@pytest.mark.parametrize(
    "member", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
async def test_the_host_of_every_endpoint_is_looked_up(
    publisher: PublishingProvider,
    refuse: Refuse,
    internet: Internet,
    private_service: tuple[int, list[str]],
    member: str,
) -> None:
    port, connected = private_service
    internet.names["inside.example.com"] = [("127.0.0.1",)]
    publisher.metadata[member] = f"https://INSIDE.example.com:{port}/x"

    refused = await refuse(publisher.issuer)

    assert refused.kind == IssuerFault.PRIVATE_HOST
    assert "inside.example.com" in refused.reason
    assert connected == []


async def test_hosts_are_the_same_in_capital_letters(
    publisher: PublishingProvider, inspect: Inspect, internet: Internet
) -> None:
    publisher.metadata["jwks_uri"] = f"https://LOGIN.Example.com:{publisher.port}{KEYS}"

    await inspect(publisher.issuer)

    assert internet.looked_up == [HOST]


async def test_endpoints_may_be_on_other_hosts_and_each_is_looked_up_once(
    publisher: PublishingProvider, inspect: Inspect, internet: Internet
) -> None:
    publisher.metadata["authorization_endpoint"] = "https://accounts.example.com/authorize"
    publisher.metadata["token_endpoint"] = "https://Api.example.com/token?policy=1"
    publisher.metadata["userinfo_endpoint"] = "https://api.example.com/userinfo"

    metadata = await inspect(publisher.issuer)

    assert metadata.token_endpoint.address == "https://Api.example.com/token?policy=1"
    assert internet.looked_up == [HOST, "accounts.example.com", "api.example.com"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_installation_for_development_accepts_a_provider_on_this_machine(
    local_publisher: PublishingProvider, host: str
) -> None:
    local_publisher.publish(f"http://{host}:{local_publisher.port}")

    metadata = await IssuerInspector(ProviderVisits(allows_private=True)).inspect(local_publisher.issuer)

    assert metadata.issuer == local_publisher.issuer


async def test_other_installations_do_not(local_publisher: PublishingProvider) -> None:
    with pytest.raises(IssuerRefused):
        await IssuerInspector(ProviderVisits(allows_private=False)).inspect(local_publisher.issuer)

    assert local_publisher.received == []


async def test_development_checks_certificates_too(certificates: Certificates) -> None:
    async with publishing(certificates[0]) as provider:
        with pytest.raises(IssuerRefused, match="TLS certificate"):
            await IssuerInspector(ProviderVisits(allows_private=True)).inspect(provider.issuer)

        assert provider.received == []
