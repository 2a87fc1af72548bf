"""Clients that disconnect midway from the served application, and a database that another program locks."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest

from tests.clients import SAME_ORIGIN, sign_in_over_http
from tests.databases import Database
from tests.factories import Factory
from tests.integration.database.locks import locked_by_another_program, wait_until_free
from tests.processes import Application, Provider, running_application


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person signed in to the served application, who can also send broken HTTP."""

    http: aiohttp.ClientSession
    url: str
    organization_id: str
    provider: Provider
    database_url: str

    @property
    def projects(self) -> str:
        return f"/o/{self.organization_id}/projects"

    def request(self, method: str, path: str, **form: str) -> tuple[bytes, bytes]:
        """Return the head and the body of a request, as bytes."""
        body = urlencode(form).encode()
        cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in self.http.cookie_jar)
        head = {
            "Host": urlsplit(self.url).netloc,
            "Cookie": cookies,
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
            **SAME_ORIGIN,
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        return "\r\n".join(lines).encode(), body

    async def leave_after(self, sent: bytes, *, seconds: float = 0.0, read: int = 0) -> None:
        """Send this much of a request, read ``read`` bytes of the response, and disconnect."""
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(sent)
        await writer.drain()
        if read:
            await asyncio.wait_for(reader.readexactly(read), 30)
        await asyncio.sleep(seconds)
        writer.transport.abort()

    async def post(self, **form: str) -> aiohttp.ClientResponse:
        """Create a project, as another member would afterwards."""
        answer = await self.http.post(
            f"{self.url}{self.projects}/new", data=form, headers=SAME_ORIGIN, allow_redirects=False
        )
        await answer.read()
        return answer

    async def expect_no_open_transaction(self) -> None:
        """Check that no transaction is left: a change and a page work at the same time."""
        await wait_until_free(self.database_url)
        async with asyncio.timeout(10):
            assert (await self.post(name="Afterwards")).status == 303
            async with self.http.get(f"{self.url}{self.projects}") as page:
                assert page.status == 200


@pytest.fixture(scope="module")
def application(
    provider: Provider, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    with running_application(provider, database, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
async def visitor(
    application: Application, provider: Provider, database: Database, make: Factory
) -> AsyncIterator[Visitor]:
    person = await make.person()
    organization_id = await make.organization("Acme", admin=person)
    http, _ = await sign_in_over_http(application.url, person)
    async with http:
        found = Visitor(http, application.url, organization_id, provider, database.admin_url)
        assert (await found.post(name="Beforehand")).status == 303
        yield found


async def test_a_client_that_leaves_before_its_body_leaves_no_transaction_open(visitor: Visitor) -> None:
    head, _ = visitor.request("POST", f"{visitor.projects}/new", name="Left")
    await asyncio.gather(*(visitor.leave_after(head, seconds=0.1) for _ in range(10)))
    await visitor.expect_no_open_transaction()


async def test_a_client_that_leaves_during_its_body_leaves_no_transaction_open(visitor: Visitor) -> None:
    head, body = visitor.request("POST", f"{visitor.projects}/new", name="Left", description="x" * 1500)
    await asyncio.gather(*(visitor.leave_after(head + body[:700], seconds=0.1) for _ in range(10)))
    await visitor.expect_no_open_transaction()


async def test_a_client_that_leaves_while_a_statement_waits_leaves_no_transaction_open(
    visitor: Visitor,
) -> None:
    sent = b"".join(visitor.request("POST", f"{visitor.projects}/new", name="Left"))
    async with locked_by_another_program(visitor.database_url):
        await asyncio.gather(*(visitor.leave_after(sent, seconds=0.5) for _ in range(10)))
    await visitor.expect_no_open_transaction()


async def test_clients_that_leave_before_the_answer_leave_no_transaction_open(visitor: Visitor) -> None:
    sent = b"".join(visitor.request("POST", f"{visitor.projects}/new", name="Left"))
    for _ in range(3):
        await asyncio.gather(*(visitor.leave_after(sent, seconds=step * 0.002) for step in range(40)))
        await visitor.expect_no_open_transaction()


async def test_a_client_that_leaves_during_a_call_to_logto_leaves_no_transaction_open(
    visitor: Visitor,
) -> None:
    sent = b"".join(visitor.request("POST", "/o/new", name="Left behind"))
    os.kill(visitor.provider.pid, signal.SIGSTOP)
    try:
        await asyncio.gather(*(visitor.leave_after(sent, seconds=0.5) for _ in range(10)))
        await wait_until_free(visitor.database_url)
        assert (await visitor.post(name="Meanwhile")).status == 303
    finally:
        os.kill(visitor.provider.pid, signal.SIGCONT)
    await visitor.expect_no_open_transaction()


@pytest.mark.parametrize("page", ["", "/export.csv"])
async def test_a_client_that_leaves_while_a_page_is_sent_leaves_no_transaction_open(
    visitor: Visitor, page: str
) -> None:
    sent = b"".join(visitor.request("GET", f"{visitor.projects}{page}"))
    await asyncio.gather(*(visitor.leave_after(sent, read=20) for _ in range(20)))
    await visitor.expect_no_open_transaction()


async def test_a_client_that_leaves_while_a_change_is_answered_leaves_no_transaction_open(
    visitor: Visitor,
) -> None:
    sent = b"".join(visitor.request("POST", f"{visitor.projects}/new", name="Left"))
    await asyncio.gather(*(visitor.leave_after(sent, read=12) for _ in range(20)))
    await visitor.expect_no_open_transaction()


async def test_while_another_program_holds_the_lock_pages_work_and_changes_get_503(
    visitor: Visitor,
) -> None:
    async with locked_by_another_program(visitor.database_url):
        changes = [asyncio.create_task(visitor.post(name=f"Waiting {number}")) for number in range(30)]
        await asyncio.sleep(0.5)
        for _ in range(5):
            async with asyncio.timeout(10), visitor.http.get(f"{visitor.url}{visitor.projects}") as page:
                assert page.status == 200
        done, waiting = await asyncio.wait(changes, timeout=10)
        answers = [task.result() for task in done]
        assert len(answers) >= 18  # all on SQLite; on PostgreSQL twelve wait longer
        assert {answer.status for answer in answers} == {503}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
        assert "The database is busy" in await answers[0].text()
    for task in waiting:
        assert (await task).status == 303
    await visitor.expect_no_open_transaction()
