"""A sign-in never connects to a private address, and never sends the code there."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from saas_app.db.kept_connection import Kept, KeptConnection
from saas_app.single_sign_on.broker.provider_sign_in import (
    ProviderClient,
    ProviderRefused,
    ProviderSignIn,
    Redemption,
)
from saas_app.single_sign_on.checked_hosts import IssuerFault, IssuerRefused
from saas_app.single_sign_on.visits import ProviderVisits
from tests.integration.single_sign_on.issuers.conftest import (
    HOST,
    KEYS,
    METADATA,
    PUBLIC,
    Certificates,
    Internet,
    PublishingProvider,
)

pytestmark = pytest.mark.one_database

CALLBACK = "https://app.example.com/sso/connector/callback"
RETURNED = Redemption(
    code="the-code", issuer=None, redirect_uri=CALLBACK, nonce="once", code_verifier="the-verifier"
)


@pytest.fixture
def sign_in(internet: Internet, certificates: Certificates) -> ProviderSignIn:
    return ProviderSignIn(ProviderVisits(allows_private=False, look_up=internet.look_up, tls=certificates[1]))


@pytest.fixture
def client(publisher: PublishingProvider) -> ProviderClient:
    return ProviderClient(publisher.issuer, "workroom", "the-secret", "openid email")


async def depart(sign_in: ProviderSignIn, client: ProviderClient) -> str:
    return (await sign_in.depart(client, redirect_uri=CALLBACK, state="state")).url


async def test_the_browser_goes_to_the_published_endpoint(
    publisher: PublishingProvider, sign_in: ProviderSignIn, client: ProviderClient
) -> None:
    url = await depart(sign_in, client)

    assert url.startswith(f"{publisher.issuer}/authorize?")
    assert publisher.paths == [METADATA]


@pytest.mark.parametrize(
    "member", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
@pytest.mark.parametrize("endpoint", ["https://inside.example.com:{port}/x", "https://127.0.0.1:{port}/x"])
async def test_an_endpoint_that_becomes_private_later_gets_no_request(
    publisher: PublishingProvider,
    sign_in: ProviderSignIn,
    client: ProviderClient,
    internet: Internet,
    private_service: tuple[int, list[str]],
    member: str,
    endpoint: str,
) -> None:
    """Between departure and return, the provider publishes an endpoint in our network."""
    port, connected = private_service
    internet.names["inside.example.com"] = [("127.0.0.1",)]
    await depart(sign_in, client)
    publisher.metadata[member] = endpoint.format(port=port)

    with pytest.raises(IssuerRefused) as refused:
        await sign_in.come_back(client, RETURNED)

    assert refused.value.kind in (IssuerFault.PRIVATE_HOST, IssuerFault.ENDPOINT)
    assert connected == []
    assert set(publisher.paths) == {METADATA}


async def test_a_provider_that_becomes_private_later_gets_no_request(
    publisher: PublishingProvider, sign_in: ProviderSignIn, client: ProviderClient, internet: Internet
) -> None:
    internet.names[HOST] = [(PUBLIC,), ("127.0.0.1",)]
    await depart(sign_in, client)

    with pytest.raises(IssuerRefused) as refused:
        await sign_in.come_back(client, RETURNED)

    assert refused.value.kind == IssuerFault.PRIVATE_HOST
    assert set(internet.connected) == {PUBLIC}


async def test_a_name_that_becomes_private_during_a_return_gains_nothing(
    publisher: PublishingProvider, sign_in: ProviderSignIn, client: ProviderClient, internet: Internet
) -> None:
    """The provider's nameserver tells the second and every later look-up a private address (rebinding)."""
    internet.names[HOST] = [(PUBLIC,), ("127.0.0.1",)]

    with pytest.raises(ProviderRefused, match="has a problem"):
        await sign_in.come_back(client, RETURNED)

    assert publisher.paths == [METADATA, KEYS, "/token"]
    assert internet.looked_up == [HOST]
    assert set(internet.connected) == {PUBLIC}


@pytest.mark.parametrize("status", [302, 307, 308])
async def test_the_code_follows_no_redirect(
    publisher: PublishingProvider,
    sign_in: ProviderSignIn,
    client: ProviderClient,
    private_service: tuple[int, list[str]],
    status: int,
) -> None:
    port, connected = private_service
    publisher.answer("/token", "", status, Location=f"http://127.0.0.1:{port}/token")

    with pytest.raises(ProviderRefused) as refused:
        await sign_in.come_back(client, RETURNED)

    assert refused.value.kind == f"token endpoint: status {status}"
    assert connected == []


async def test_other_installations_accept_no_provider_on_this_machine(
    local_publisher: PublishingProvider,
) -> None:
    client = ProviderClient(local_publisher.issuer, "workroom", "the-secret", "openid")
    sign_in = ProviderSignIn(ProviderVisits(allows_private=False))

    with pytest.raises(IssuerRefused):
        await depart(sign_in, client)
    with pytest.raises(IssuerRefused):
        await sign_in.come_back(client, RETURNED)

    assert local_publisher.received == []


@pytest.mark.parametrize("returns", [False, True])
async def test_a_request_keeps_no_database_connection_while_it_waits(
    client: ProviderClient, certificates: Certificates, returns: bool
) -> None:
    connection = Mock()
    returned_before_waiting: list[bool] = []

    async def look_up(_host: str) -> list[str]:
        returned_before_waiting.append(connection.close.called)
        raise OSError

    sign_in = ProviderSignIn(ProviderVisits(allows_private=False, look_up=look_up, tls=certificates[1]))
    async with KeptConnection() as kept:
        await kept.take(connection.engine)
        kept.put(Kept(connection, Mock()))

        with pytest.raises(IssuerRefused):
            await (sign_in.come_back(client, RETURNED) if returns else depart(sign_in, client))

    assert returned_before_waiting == [True]
