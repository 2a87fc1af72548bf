"""Limits of addresses over HTTP: forged tokens, missing credentials, and signing in."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from quart.wrappers import Response

from saas_app.config import MEMORY
from saas_app.identity.token_verifier import TokenVerifier
from saas_app.limits import slow_lane
from tests.factories import Factory
from tests.integration.api.limited import MakeApp, fresh_address, get, limit_that_ended, robot, statuses
from tests.integration.bearer import Mint


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signature was verified from now on."""
    tokens, verify = [], TokenVerifier.verify_access_token

    async def counting(self: TokenVerifier, token: str, *, audience: str) -> dict[str, Any]:
        tokens.append(token)
        return await verify(self, token, audience=audience)

    monkeypatch.setattr(TokenVerifier, "verify_access_token", counting)
    return tokens


@pytest.fixture
async def forged(make: Factory, mint: Mint) -> str:
    """A token that no key of Logto's signed."""
    return mint(await make.organization(), key="x" * 40, header={"alg": "HS256"})


async def test_forged_tokens_are_counted_before_they_are_verified(
    make_app: MakeApp, storage: str, forged: str, address: str, verified: list[str]
) -> None:
    app = await make_app(storage, address=5)
    assert await statuses(*(get(app, forged, address=address) for _ in range(40))) == {401: 5, 429: 35}
    assert len(verified) == 5


async def test_an_address_over_its_limit_cannot_pretend_to_be_another(
    make_app: MakeApp, storage: str, forged: str, address: str, verified: list[str]
) -> None:
    app = await make_app(storage, address=1)
    assert (await get(app, forged, address=address)).status_code == 401

    neighbor = address.removesuffix("1") + "2"  # an address of the same network
    assert (await get(app, forged, address=neighbor)).status_code == 429
    for name in ("X-Forwarded-For", "Forwarded", "Remote-Addr", "X-Real-IP"):
        assert (await get(app, forged, address=address, **{name: "198.51.100.9"})).status_code == 429
    assert len(verified) == 1
    assert (await get(app, forged, address=fresh_address())).status_code == 401


async def test_a_token_verified_before_is_accepted_from_an_address_over_its_limit(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint, forged: str, address: str
) -> None:
    app, known = await make_app(storage, address=1), mint(await make.organization(), **robot())
    assert (await get(app, known, address=address)).status_code == 200
    assert [(await get(app, forged, address=address)).status_code for _ in range(2)] == [401, 429]

    assert (await get(app, known, address=address)).status_code == 200


async def test_new_genuine_tokens_are_accepted_from_an_address_over_its_limit(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint, address: str
) -> None:
    app = await make_app(storage, address=3)
    organization_id = await make.organization()
    forged = mint(organization_id, key=ec.generate_private_key(ec.SECP384R1()))
    for expected in (401, 401, 401, 429, 429):
        assert (await get(app, forged, address=address)).status_code == expected

    new = [mint(organization_id, **robot()) for _ in range(12)]

    assert await statuses(*(get(app, token, address=address) for token in new)) == {200: 12}
    refused = await get(app, forged, address=address)
    assert await limit_that_ended(refused) == "address"


async def test_beyond_the_limit_plausible_forgeries_are_verified_slowly(
    make_app: MakeApp,
    make: Factory,
    mint: Mint,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    verified: list[str],
) -> None:
    monkeypatch.setattr(slow_lane, "_MAX_WAITING", 4)
    monkeypatch.setattr(slow_lane, "_INTERVAL", 60.0)
    app = await make_app(MEMORY, address=2)
    organization_id = await make.organization()
    assert (await get(app, mint(organization_id, **robot()), address=address)).status_code == 200
    forged = mint(organization_id, key=ec.generate_private_key(ec.SECP384R1()))
    verified.clear()

    asked = [asyncio.create_task(get(app, forged, address=address)) for _ in range(30)]
    answered, waiting = await asyncio.wait(asked, timeout=5)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert Counter(task.result().status_code for task in answered) == {401: 2, 429: 25}
    assert (len(waiting), len(verified)) == (3, 3)  # three wait for minutes, one had its turn at once


async def test_genuine_tokens_do_not_count_for_their_address(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint, address: str
) -> None:
    app = await make_app(storage, address=2)
    organization_id = await make.organization()
    for _ in range(6):
        answer = await get(app, mint(organization_id, **robot()), address=address)
        assert answer.status_code == 200
        assert '"address"' not in answer.headers["RateLimit"]


async def test_requests_without_a_credential_count_for_their_address(
    make_app: MakeApp, storage: str, address: str
) -> None:
    app = await make_app(storage, address=2)
    client, scope = app.test_client(), {"client": (address, 1)}
    answers = [await client.get("/api/v1/me", scope_base=scope) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/callback?state=unknown&code=unknown"])
async def test_sign_ins_are_limited_by_address(
    make_app: MakeApp, storage: str, address: str, path: str
) -> None:
    app = await make_app(storage, address=3)

    async def visit(address: str) -> Response:
        response = await app.test_client().get(path, scope_base={"client": (address, 1)})
        assert isinstance(response, Response)
        return response

    assert (await statuses(*(visit(address) for _ in range(40))))[429] == 37

    refused = await visit(address)
    assert refused.status_code == 429
    assert refused.mimetype == "text/html"
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await visit(fresh_address())).status_code != 429
    api = await app.test_client().get("/api/v1/me", scope_base={"client": (address, 1)})
    assert api.status_code == 401  # failures of the API are counted separately
