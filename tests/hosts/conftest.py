"""Several hosts: one cluster for all tests, and a summary of their requests in figures."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from saas_app.logto import ManagementClient
from saas_app.logto.http import open_http
from tests.clients import Person
from tests.factories import Factory
from tests.hosts.acme import Acme
from tests.hosts.cluster import Cluster, running_cluster
from tests.hosts.figures import FIGURES
from tests.hosts.network import find_obstacle
from tests.hosts.programs import find_missing_program
from tests.hosts.visitor import Visitor
from tests.settings import management_settings

_HERE = Path(__file__).parent

_BROWSERS = 4
_PATIENCE = 600  # seconds, for a process that waits until another one is done with the cluster

NewVisitor = Callable[..., Awaitable[Visitor]]
Note = Callable[[object], None]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests first, in one process as far as possible. Others have to wait for the cluster."""
    items.sort(key=lambda item: _HERE not in item.path.parents)
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(_PATIENCE))


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """``note(load)`` puts the figures of a scenario into the summary."""

    def add(figures: object) -> None:
        request.node.user_properties.append((FIGURES, f"{request.node.name}: {figures}"))

    return add


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The running cluster. Another process of this run waits until it has ended."""
    missing = find_obstacle() or find_missing_program()
    if missing is not None:
        pytest.skip(f"several hosts: {missing}")
    with (tmp_path_factory.getbasetemp().parent / "several-hosts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with running_cluster(tmp_path_factory.mktemp("several-hosts")) as running:
            yield running


@pytest.fixture(scope="package")
async def people(cluster: Cluster) -> AsyncIterator[Factory]:
    """Make people and organizations for the cluster."""
    async with open_http(30) as http:
        yield Factory(ManagementClient(management_settings(cluster.provider), http, timeout=30))


@pytest.fixture
async def new_visitor(cluster: Cluster) -> AsyncIterator[NewVisitor]:
    """``await new_visitor(person, at="one")``: a browser, signed in if a person is given."""
    async with AsyncExitStack() as stack:

        async def open_one(person: Person | None = None, *, at: str = "") -> Visitor:
            visitor = await stack.enter_async_context(Visitor(cluster.url, cluster.tls))
            if person is not None:
                assert (await visitor.sign_in(person, at=at)).status == 303
            return visitor

        yield open_one


@pytest.fixture
async def acme(cluster: Cluster, people: Factory, new_visitor: NewVisitor) -> Acme:
    """An organization whose editor is signed in on both hosts."""
    await asyncio.to_thread(cluster.ensure_running)
    admin, editor = await people.person("Ada"), await people.person("Eve")
    organization_id = await people.organization("Acme", admin=admin, editor=editor)
    browsers = [await new_visitor(editor, at=host) for host in ("one", "two") * (_BROWSERS // 2)]
    for browser in browsers:
        await browser.get(f"/o/{organization_id}/projects")
    return Acme(organization_id, admin, editor, browsers, cluster, people)
