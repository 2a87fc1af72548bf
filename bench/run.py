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
from pathlib import Path
from typing import Any

from bench.checkouts import Checkout
from bench.client import running_client
from bench.furnished import furnish
from bench.rounds import Target, by_name, measure, ratio
from bench.running_twins import installed, running_twins
from bench.site import running_site
from bench.subjects import BARE, SUBJECTS, TWIN_OF_WORKROOM, TWINS, requests_to_twin
from tests.databases import empty_database_at

Numbers = dict[str, float]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure. ``servers`` has the PostgreSQL server by the name of a database, None for SQLite."""

    checkouts: Sequence[Checkout]
    servers: Mapping[str, str | None]
    keys: frozenset[str]
    twins: Sequence[str]
    rounds: int
    seconds: float


def run(plan: Plan, progress: Progress) -> dict[str, Any]:
    """Carry the plan out. Raises :class:`bench.client.UnexpectedResponse` if a server fails."""
    this, *others = plan.checkouts
    measured = {}
    for name, server in plan.servers.items():
        measured[name] = _on_database(plan, server, lambda said, name=name: progress(f"{name}: {said}"))
    return {
        "commit": this.commit,
        "against": others[0].commit if others else None,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}",
        "rounds": plan.rounds,
        "databases": measured,
    }


def _on_database(plan: Plan, server: str | None, progress: Progress) -> dict[str, Numbers]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        twins_url = stack.enter_context(empty_database_at(server, directory))
        progress("starting the twins")
        targets = [
            Target(f"{twin.name}/{key}", twin.pid, request)
            for twin in stack.enter_context(running_twins(installed(plan.twins), twins_url, directory))
            for key, request in requests_to_twin(twin.name, twin.url).items()
            if key in plan.keys or f"{twin.name}/{key}" == BARE
        ]
        for checkout in plan.checkouts:
            progress(f"starting Workroom at {checkout.commit}")
            site = stack.enter_context(running_site(checkout, server))
            requests = asyncio.run(furnish(site))
            targets += [
                Target(f"{checkout.name}/{subject.key}", site.pid, requests[subject.key])
                for subject in SUBJECTS
                if subject.key in plan.keys
            ]
        measure(stack.enter_context(running_client()), targets, plan.rounds, plan.seconds, progress)
    return {target.name: _numbers(target, by_name(targets)) for target in targets}


def _numbers(target: Target, all_targets: Mapping[str, Target]) -> Numbers:
    """Return the summary of a target, and how many times the CPU of others it costs."""
    server, _, key = target.name.partition("/")
    others = {"x_bare": BARE}
    if server not in TWINS:
        others |= {"x_twin": f"{TWIN_OF_WORKROOM}/{key}"}
    if server == "workroom":
        others |= {"x_before": f"before/{key}"}
    ratios = {
        name: round(ratio(target, all_targets[other]), 2)
        for name, other in others.items()
        if other in all_targets
    }
    return {**target.summary(), **ratios}
