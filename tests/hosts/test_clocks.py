"""Two hosts behind a proxy, one of which has a clock that is ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.hosts.acme import Acme
from tests.hosts.cluster import Cluster, with_environment
from tests.hosts.conftest import NewVisitor
from tests.hosts.programs import LIBFAKETIME, find_faketime

pytestmark = pytest.mark.one_database

_AHEAD = 20  # seconds; token checks allow 30


@pytest.fixture(scope="module", autouse=True)
async def ahead(cluster: Cluster) -> AsyncIterator[None]:
    """The clock of the second host is ahead, while its timers run as before."""
    library = find_faketime()
    if library is None:
        pytest.skip(f"several hosts: {LIBFAKETIME} is missing (Debian: faketime)")
    host = with_environment(
        cluster.two, LD_PRELOAD=library, FAKETIME=f"+{_AHEAD}s", FAKETIME_DONT_FAKE_MONOTONIC="1"
    )
    async with cluster.in_place_of("two", host):
        await asyncio.to_thread(host.start)
        yield


async def test_a_host_whose_clock_is_ahead_accepts_the_sessions_and_tokens_of_the_other(
    acme: Acme, new_visitor: NewVisitor
) -> None:
    began_there, began_here = (
        await new_visitor(acme.editor, at="two"),
        await new_visitor(acme.editor, at="one"),
    )

    for visitor in (began_there, began_here):
        for host in ("one", "two", "one"):
            await visitor.get(acme.form, at=host)


@pytest.mark.parametrize(("changed_at", "asked_at"), [("one", "two"), ("two", "one")])
async def test_a_role_removed_is_refused_whichever_clock_is_ahead(
    acme: Acme, new_visitor: NewVisitor, changed_at: str, asked_at: str
) -> None:
    admin, editor = await new_visitor(acme.admin, at=changed_at), acme.browsers[0]
    await editor.get(acme.form, at=asked_at)

    assert (await acme.demote_editor(admin, at=changed_at)).status == 303

    await editor.get(acme.form, 403, at=asked_at)
    await editor.get(f"{acme.root}/projects", at=asked_at)
