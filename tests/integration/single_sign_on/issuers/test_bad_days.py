"""Providers that fail, and servers that are something else."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from typing import Any

import pytest
import structlog
from aiohttp import web

from saas_app.single_sign_on.issuers import IssuerFault, IssuerInspector, IssuerRefused
from saas_app.single_sign_on.visits import ProviderVisits
from tests.integration.single_sign_on.issuers.conftest import (
    HOST,
    KEYS,
    METADATA,
    SECRET,
    Certificates,
    Inspect,
    Internet,
    PublishingProvider,
    Refuse,
    never,
)

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize("path", [METADATA, KEYS])
@pytest.mark.parametrize(
    "body",
    [
        f"<html><title>{SECRET}</title></html>",
        "",
        f'["{SECRET}"]',
        f'{{"issuer": "{SECRET}',
        "[" * 100_000,
        b"\xff\xfe\xfd",
        gzip.compress(json.dumps({"issuer": SECRET}).encode()),
    ],
    ids=["HTML", "empty", "list", "truncated", "deep", "not text", "compressed"],
)
async def test_what_is_no_json_object_is_refused(
    publisher: PublishingProvider, refuse: Refuse, path: str, body: str | bytes
) -> None:
    publisher.answer(path, body)

    refused = await refuse(publisher.issuer)

    assert refused.kind == IssuerFault.UNREADABLE
    assert SECRET not in refused.reason


async def test_a_compressed_body_is_not_unpacked(publisher: PublishingProvider, refuse: Refuse) -> None:
    packed = gzip.compress(json.dumps(publisher.metadata).encode())
    publisher.answer(METADATA, packed, **{"Content-Encoding": "gzip", "Content-Type": "application/json"})

    assert (await refuse(publisher.issuer)).kind == IssuerFault.UNREADABLE


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, "publishes no OpenID Connect metadata"), (403, "status 403"), (503, "status 503")],
)
async def test_an_error_of_the_provider_is_explained_without_its_body(
    publisher: PublishingProvider, refuse: Refuse, status: int, reason: str
) -> None:
    publisher.answer(METADATA, json.dumps({**publisher.metadata, "error": SECRET}), status)

    refused = await refuse(publisher.issuer)

    assert refused.kind == IssuerFault.STATUS
    assert reason in refused.reason
    assert SECRET not in refused.reason


@pytest.mark.parametrize("path", [METADATA, KEYS])
async def test_a_body_that_does_not_end_is_not_read_to_its_end(
    publisher: PublishingProvider, refuse: Refuse, path: str
) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65536)
            await asyncio.sleep(0)  # the client reads in the same event loop
            sent += 65536

    publisher.answers[path] = endless

    refused = await refuse(publisher.issuer)

    assert refused.kind == IssuerFault.TOO_LARGE
    assert sent < 64 * 1024 * 1024


@pytest.mark.parametrize(("padding", "fits"), [(250 * 1024, True), (257 * 1024, False)])
async def test_metadata_has_256_kilobytes_at_most(
    publisher: PublishingProvider, inspect: Inspect, padding: int, fits: bool
) -> None:
    publisher.metadata["padding"] = "x" * padding

    if fits:
        await inspect(publisher.issuer)
    else:
        with pytest.raises(IssuerRefused, match="too large"):
            await inspect(publisher.issuer)


async def test_a_slow_provider_is_given_up(
    publisher: PublishingProvider, internet: Internet, certificates: Certificates
) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        return await never(request)

    publisher.answers[KEYS] = trickle
    inspector = IssuerInspector(
        ProviderVisits(allows_private=False, look_up=internet.look_up, tls=certificates[1], timeout=0.5)
    )

    with pytest.raises(IssuerRefused, match="did not respond in time") as refused:
        async with asyncio.timeout(5):
            await inspector.inspect(publisher.issuer)

    assert refused.value.kind == IssuerFault.TIMEOUT
    assert publisher.paths == [METADATA, KEYS]


async def test_a_slow_nameserver_is_given_up() -> None:
    async def look_up(_host: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(IssuerRefused, match="did not respond in time"):
        await IssuerInspector(ProviderVisits(allows_private=False, look_up=look_up, timeout=0.1)).inspect(
            f"https://{HOST}"
        )


async def test_a_connection_that_is_refused_is_explained(refuse: Refuse) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))

        refused = await refuse(f"https://{HOST}:{closed.getsockname()[1]}")

    assert refused.kind == IssuerFault.UNREACHABLE
    assert f"{HOST} could not be reached" in refused.reason


async def test_a_connection_that_is_closed_is_explained(
    refuse: Refuse, private_service: tuple[int, list[str]]
) -> None:
    refused = await refuse(f"https://{HOST}:{private_service[0]}")

    assert refused.kind == IssuerFault.UNREACHABLE


@pytest.mark.parametrize("answer", [(), OSError("no such name")])
async def test_a_host_that_does_not_exist_is_explained(answer: Any) -> None:
    async def look_up(_host: str) -> list[str]:
        if isinstance(answer, OSError):
            raise answer
        return list(answer)

    with pytest.raises(IssuerRefused, match="could not be found") as refused:
        await IssuerInspector(ProviderVisits(allows_private=False, look_up=look_up)).inspect(
            f"https://{HOST}"
        )

    assert refused.value.kind == IssuerFault.UNKNOWN_HOST


async def test_a_certificate_for_another_name_is_refused(
    publisher: PublishingProvider, refuse: Refuse
) -> None:
    refused = await refuse(f"https://other.example.com:{publisher.port}")

    assert refused.kind == IssuerFault.CERTIFICATE
    assert "other.example.com has no valid TLS certificate" in refused.reason
    assert publisher.received == []


async def test_a_certificate_of_an_unknown_authority_is_refused(
    publisher: PublishingProvider, internet: Internet
) -> None:
    inspector = IssuerInspector(ProviderVisits(allows_private=False, look_up=internet.look_up))

    with pytest.raises(IssuerRefused, match="TLS certificate"):
        await inspector.inspect(publisher.issuer)

    assert publisher.received == []


async def test_a_server_without_tls_is_refused(local_publisher: PublishingProvider, refuse: Refuse) -> None:
    refused = await refuse(f"https://{HOST}:{local_publisher.port}")

    assert refused.kind == IssuerFault.CERTIFICATE
    assert local_publisher.received == []


async def test_a_refusal_is_logged_by_its_type(publisher: PublishingProvider, refuse: Refuse) -> None:
    publisher.answer(METADATA, SECRET)

    with structlog.testing.capture_logs() as lines:
        await refuse(publisher.issuer)

    (line,) = lines
    assert (line["log_level"], line["issuer"], line["reason"]) == ("info", publisher.issuer, "unreadable")
    assert SECRET not in str(line)


async def test_a_text_that_is_no_issuer_is_not_logged(refuse: Refuse) -> None:
    with structlog.testing.capture_logs() as lines:
        await refuse(f"https://ada:{SECRET}@{HOST}?{SECRET}")

    assert SECRET not in str(lines)
