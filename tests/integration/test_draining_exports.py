"""After SIGTERM, a server completes an export that a client is still reading."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import Project, ProjectStatus
from saas_app.models.project import fold_name
from saas_app.rbac.permissions import Role
from tests.clients import sign_in_over_http
from tests.databases import Database
from tests.factories import Factory
from tests.processes import Application, Provider, running_application
from tests.remote import eventually

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, the server does not drain"),
]

_PROJECTS = 6_000
_LENGTH = 2_000  # characters of each description: together more than the system keeps for a slow reader
_END = b"0\r\n\r\n"  # of a body in chunks


@pytest.fixture
async def organization_id(make: Factory, work: UnitOfWork) -> str:
    """An organization whose export is long. Its admin is Ada."""
    organization_id, now = await make.organization("Acme"), utc_now()
    async with work.writing(organization_id) as db:
        for number in range(_PROJECTS):
            name = f"Project {number}"
            made = {"created_by": "test", "created_at": now, "updated_at": now}
            texts = {"name": name, "folded_name": fold_name(name), "description": "x" * _LENGTH}
            db.add(Project(id=new_uuid(), status=ProjectStatus.ACTIVE, **texts, **made))
    return organization_id


class Export:
    """A download that a slow reader has begun."""

    def __init__(self, application: Application, reader: asyncio.StreamReader) -> None:
        self.application = application
        self._reader = reader

    async def is_complete(self) -> bool:
        """Read to the end, and return whether it is the end of the file."""
        received = await asyncio.wait_for(self._reader.read(), 30)
        return received.endswith(_END)


@contextlib.asynccontextmanager
async def begun(application: Application, make: Factory, organization_id: str) -> AsyncIterator[Export]:
    """Request the export and read only the head of the response."""
    http, _ = await sign_in_over_http(application.url, await make.member(organization_id, "Ada", Role.ADMIN))
    parts = urlsplit(application.url)
    async with http:
        cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in http.cookie_jar)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, family=socket.AF_INET)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        path = f"/o/{organization_id}/projects/export.csv"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookies}\r\n\r\n".encode())
        assert b" 200 " in (await reader.readuntil(b"\r\n\r\n")).splitlines()[0]
        yield Export(application, reader)
        writer.close()


async def _is_gone(application: Application) -> bool:
    try:
        async with aiohttp.request("GET", f"{application.url}/readyz") as response:
            return response.status == 503
    except aiohttp.ClientConnectionError:
        return True


@pytest.mark.parametrize("drain_seconds", ["60", "0.1"], ids=["while it drains", "after the drain"])
async def test_an_export_is_completed_by_a_server_that_was_told_to_stop(
    provider: Provider,
    database: Database,
    tmp_path: Path,
    make: Factory,
    organization_id: str,
    drain_seconds: str,
) -> None:
    with running_application(provider, database, tmp_path, APP_DRAIN_SECONDS=drain_seconds) as application:
        async with begun(application, make, organization_id) as export:
            os.kill(application.pid, signal.SIGTERM)
            await eventually(lambda: _is_gone(application), "the server has begun to stop")

            assert await export.is_complete()
