"""Measures many servers in turn, so that other load on the machine burdens all of them alike."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from bench.client import Client, Request
from bench.cpu import cpu_seconds

CONNECTIONS: Final = 8
_WARM_UP: Final = 60  # requests before anything is measured
_FEWEST, _MOST = 20, 1500  # requests in a round


Numbers = dict[str, float]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, the requests it answers by the key of their subject, and its memory at the start."""

    name: str
    pid: int
    requests: Mapping[str, Request]
    started_mb: float


@dataclass(slots=True)
class Target:
    """A request to a server, and what it cost: CPU milliseconds by round, and times of responses."""

    server: Server
    key: str
    count: int = 0
    size: int = 0
    cpu: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name in results: the server and the subject."""
        return f"{self.server.name}/{self.key}"

    def summary(self) -> Numbers:
        """Return the numbers that are kept: medians over the rounds, in milliseconds and bytes."""
        return {
            "cpu_ms": round(statistics.median(self.cpu), 3),
            "p50_ms": round(percentile(self.times, 50), 2),
            "p99_ms": round(percentile(self.times, 99), 2),
            "bytes": self.size,
        }


def percentile(times: Sequence[float], percent: int) -> float:
    """Return the time within which so many percent of the responses arrived."""
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def ratio(target: Target, other: Target) -> float:
    """Return how many times the CPU of another target one costs: the median of the ratios of each round."""
    return statistics.median(ours / theirs for ours, theirs in zip(target.cpu, other.cpu, strict=True))


def measure(
    client: Client, targets: Sequence[Target], rounds: int, seconds: float, progress: Callable[[str], None]
) -> None:
    """Warm all targets up, then visit them in random order in each round.

    A visit takes about ``seconds`` of the server's CPU time.
    """
    for target in targets:
        progress(f"warming up {target.name}")
        _visit(client, target, _WARM_UP)
        cost = _visit(client, target, _WARM_UP)
        target.count = min(max(int(seconds * 1000 / cost), _FEWEST), _MOST)
        target.times.clear()
        target.cpu.clear()
    for number in range(1, rounds + 1):
        progress(f"round {number} of {rounds}")
        for target in _in_random_order(targets):
            _visit(client, target, target.count)


def _in_random_order(targets: Sequence[Target]) -> list[Target]:
    """Return the targets in random order, but those with the same work next to each other.

    Their ratio is what is asked for, and between two that are close in time the load on the machine is alike.
    """
    keys = sorted({target.key for target in targets})
    place = {key: number for number, key in enumerate(random.sample(keys, len(keys)))}
    return sorted(random.sample(targets, len(targets)), key=lambda target: place[target.key])


def _visit(client: Client, target: Target, count: int) -> float:
    report = client.send(
        target.server.requests[target.key], count, CONNECTIONS, partial(cpu_seconds, target.server.pid)
    )
    cost = report.used * 1000 / count
    target.cpu.append(cost)
    target.times += report.times
    target.size = report.size
    return cost
