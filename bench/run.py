"""One run: starts everything, measures on each database, and returns a result that can be kept as JSON."""

from __future__ import annotations

import asyncio
import os
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench import service
from bench.checkouts import Checkout
from bench.client import running_client
from bench.furnished import furnish
from bench.rounds import Numbers, Server, Target, measure, ratio
from bench.running_twins import running_twins
from bench.site import running_site
from bench.subjects import BARE, TWIN_OF_WORKROOM, TWINS
from tests.databases import empty_database_at


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure. ``databases`` has a PostgreSQL server for each name, or None for SQLite.

    Memory is measured before and after ``memory_requests`` requests to each server. With 0, memory, start-up
    and many writers at a time are not measured.
    """

    checkouts: Sequence[Checkout]
    databases: Mapping[str, str | None]
    keys: frozenset[str]
    twins: Sequence[str]
    rounds: int
    seconds: float
    memory_requests: int = 0


_NOT_WRITING: Final = frozenset(TWINS) - {TWIN_OF_WORKROOM}
"""The twins for which many writers at a time say nothing new: their statements are the same."""


def run(plan: Plan, progress: Callable[[str], None]) -> dict[str, Any]:
    """Carry the plan out. Raises :class:`bench.client.UnexpectedResponse` if a server fails."""
    this, *others = plan.checkouts
    return {
        "commit": this.commit,
        "against": others[0].commit if others else None,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}",
        "rounds": plan.rounds,
        "databases": {
            name: _measure(plan, address, partial(_tell, progress, name))
            for name, address in plan.databases.items()
        },
    }


def _tell(progress: Callable[[str], None], database: str, said: str) -> None:
    progress(f"{database}: {said}")


def _measure(
    plan: Plan, address: str | None, progress: Callable[[str], None]
) -> dict[str, dict[str, Numbers]]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        twins_url = stack.enter_context(empty_database_at(address, directory))
        progress("starting the twins")
        servers = stack.enter_context(running_twins(plan.twins, twins_url, directory))
        sites = []
        for checkout in plan.checkouts:
            progress(f"starting Workroom at {checkout.commit}")
            site = stack.enter_context(running_site(checkout, address))
            started_mb = service.resident_mb(site.pid)
            servers.append(Server(checkout.name, site.pid, asyncio.run(furnish(site)), started_mb))
            sites.append((checkout, site))
        client = stack.enter_context(running_client())
        targets = [Target(server, key) for server in servers for key in server.requests]
        targets = [target for target in targets if target.key in plan.keys or target.name == BARE]
        measure(client, targets, plan.rounds, plan.seconds, progress)
        result = {"subjects": _subjects(targets)}
        if plan.memory_requests:
            progress("many writers at a time")
            writing = [server for server in servers if server.name not in _NOT_WRITING]
            result["writers"] = service.measure_writers(client, writing)
            progress(f"memory after {plan.memory_requests} more requests")
            result["memory"] = service.measure_memory(client, servers, plan.memory_requests)
            progress("start-up")
            result["start"] = service.measure_start(sites)
    return result


def _subjects(targets: Sequence[Target]) -> dict[str, Numbers]:
    """Return the summary of each target, and how many times the CPU of others it costs."""
    known = {target.name: target for target in targets}
    summaries = {}
    for name, target in known.items():
        others = {"x_bare": BARE}
        if target.server.name not in TWINS:
            others |= {"x_twin": f"{TWIN_OF_WORKROOM}/{target.key}", "x_before": f"before/{target.key}"}
        ratios = {
            ratio_name: round(ratio(target, known[other]), 2)
            for ratio_name, other in others.items()
            if other in known and other != name
        }
        summaries[name] = {**target.summary(), **ratios}
    return summaries
