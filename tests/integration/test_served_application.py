"""The product as its users run it: two workers, one environment file, real HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp

from saas_app.operations.env_file import read_env_file
from tests.clients import sign_in_over_http
from tests.databases import Database
from tests.factories import Factory
from tests.processes import Provider, running_application


async def test_two_workers_serve_a_signed_in_person_and_log_no_secret(
    provider: Provider, database: Database, tmp_path: Path, make: Factory
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", admin=person)
    with running_application(provider, database, tmp_path, workers=2, LOG_FORMAT="json") as application:
        http, callback = await sign_in_over_http(application.url, person)
        async with http:
            page = f"{application.url}/o/{organization_id}/projects"

            async def status() -> int:
                async with http.get(page) as response:
                    await response.read()
                    return response.status

            assert Counter(await asyncio.gather(*(status() for _ in range(30)))) == {200: 30}
            cookies = {cookie.value for cookie in http.cookie_jar}
        stored = read_env_file(application.env_file)
        assert application.env_file.stat().st_mode & 0o077 == 0

    logged = (tmp_path / "application.log").read_text()
    assert '"path": "/callback"' in logged
    query = parse_qs(urlsplit(callback).query)
    secrets = {query["code"][0], query["state"][0], *cookies, "eyJ"}
    secrets |= {value for name, value in stored.items() if "SECRET" in name or "KEY" in name}
    assert not [secret for secret in secrets if secret in logged]


async def test_every_kind_of_answer_has_the_security_headers(
    provider: Provider, database: Database, tmp_path: Path
) -> None:
    with running_application(provider, database, tmp_path) as application:
        async with aiohttp.ClientSession() as http:
            for path in ("/", "/nothing/here", "/o", "/api/v1/me", "/healthz", "/sign-in"):
                async with http.get(application.url + path, allow_redirects=False) as response:
                    policy = response.headers["Content-Security-Policy"]
                    assert "default-src 'none'" in policy
                    assert "unsafe" not in policy
                    assert "frame-ancestors 'none'" in policy
                    assert response.headers["X-Content-Type-Options"] == "nosniff"
                    assert response.headers["Referrer-Policy"]
                    assert "Strict-Transport-Security" not in response.headers  # no TLS here
                    assert response.headers["X-Request-Id"]
                    assert "no-store" in response.headers["Cache-Control"]
                    assert not response.headers.get("Server", "").lower().startswith(("hypercorn", "uvicorn"))
