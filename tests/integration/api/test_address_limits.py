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
from tests.integration.api.conftest import Mint
from tests.integration.api.limited import MakeApp, fresh_address, get, limit_that_ended, robot, statuses


async def test_forged_tokens_are_counted_before_they_are_verified(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await make_app(storage, address=5)
    organization_id = await make.organization()
    known, forged = (
        mint(organization_id, **robot()),
        mint(organization_id, key="x" * 40, header={"alg": "HS256"}),
    )
    assert (await get(app, known, address=address)).status_code == 200
    verified, verify = [], TokenVerifier.verify_access_token

    async def counting(self: TokenVerifier, token: str, *, audience: str) -> dict[str, Any]:
        verified.append(token)
        return await verify(self, token, audience=audience)

    monkeypatch.setattr(TokenVerifier, "verify_access_token", counting)
    assert await statuses(*(get(app, forged, address=address) for _ in range(40))) == {401: 5, 429: 35}
    assert len(verified) == 5

    neighbour = address.removesuffix("1") + "2"  # an address of the same network changes nothing
    assert (await get(app, forged, address=neighbour)).status_code == 429
    for name in ("X-Forwarded-For", "Forwarded", "Remote-Addr", "X-Real-IP"):
        assert (await get(app, forged, address=address, **{name: "198.51.100.9"})).status_code == 429
    assert len(verified) == 5

    assert (await get(app, known, address=address)).status_code == 200  # verified before: costs nothing
    assert (await get(app, forged, address=fresh_address())).status_code == 401


async def test_good_tokens_that_are_new_are_let_in_though_their_address_is_over_its_limit(
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


async def test_forged_tokens_that_look_good_are_verified_a_few_a_second_beyond_the_limit(
    make_app: MakeApp, make: Factory, mint: Mint, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_lane, "_MOST_WAITING", 4)
    monkeypatch.setattr(slow_lane, "_INTERVAL", 60.0)
    app = await make_app(MEMORY, address=2)
    organization_id = await make.organization()
    assert (await get(app, mint(organization_id, **robot()), address=address)).status_code == 200
    forged = mint(organization_id, key=ec.generate_private_key(ec.SECP384R1()))
    verified, verify = [], TokenVerifier.verify_access_token

    async def counting(self: TokenVerifier, token: str, *, audience: str) -> dict[str, Any]:
        verified.append(token)
        return await verify(self, token, audience=audience)

    monkeypatch.setattr(TokenVerifier, "verify_access_token", counting)
    asked = [asyncio.create_task(get(app, forged, address=address)) for _ in range(30)]
    answered, waiting = await asyncio.wait(asked, timeout=5)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert Counter(task.result().status_code for task in answered) == {401: 2, 429: 25}
    assert (len(waiting), len(verified)) == (3, 3)  # three wait for a turn in minutes, one had it at once


async def test_good_tokens_do_not_count_for_their_address(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint, address: str
) -> None:
    app = await make_app(storage, address=2)
    organization_id = await make.organization()
    for _ in range(6):
        answer = await get(app, mint(organization_id, **robot()), address=address)
        assert answer.status_code == 200
        assert '"address"' not in answer.headers["RateLimit"]


async def test_who_brings_no_credential_counts_for_the_address(
    make_app: MakeApp, storage: str, address: str
) -> None:
    app = await make_app(storage, address=2)
    client, scope = app.test_client(), {"client": (address, 1)}
    answers = [await client.get("/api/v1/me", scope_base=scope) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/callback?state=unknown&code=unknown"])
async def test_signing_in_is_limited_by_address_with_a_page_that_says_so(
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
    assert api.status_code == 401  # what fails there is counted apart
