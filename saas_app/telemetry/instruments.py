"""Every metric of the application, declared once. ``docs/operations.md`` lists them.

Labels come from small fixed sets: route templates, permissions, names. None contains what a caller sent.
"""

from __future__ import annotations

from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from saas_app.db.engine import MAX_OVERFLOW, POOL_SIZE

_RESPONSES: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_CALLS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_STATEMENTS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5)
_LATENESS: Final = (1, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400)
_SUM: Final[Literal["livesum"]] = "livesum"  # over the workers that live


class Instruments:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"workroom_{name}", text, labels, registry=registry)

        def seconds(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"workroom_{name}_seconds", text, labels, buckets=buckets, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"workroom_{name}", text, registry=registry, multiprocess_mode=_SUM)

        self.requests = seconds(
            "request", "Time until a response begins.", _RESPONSES, "route", "method", "status"
        )
        self.decisions = counter("access_decisions", "Decisions about access.", "permission", "outcome")
        self.logto_calls = seconds(
            "logto_call", "Time until Logto responds to a call.", _CALLS, "kind", "result"
        )
        self.token_misses = counter("token_misses", "Requests without a usable cached token.", "reason")
        self.refreshes_shared = counter(
            "refreshes_shared", "Requests that used a refresh of another request.", "by"
        )
        self.statements = seconds("sql", "Time of a SQL statement.", _STATEMENTS, "kind")
        self.limits_reached = counter("limits_reached", "Requests beyond a rate limit.", "limit")
        self.role_ends = seconds(
            "role_end", "Time from the end of a role until it was taken away, or not.", _LATENESS, "result"
        )
        self.removal_runs = counter(
            "removal_runs", "Runs that remove the data of deleted organizations.", "result"
        )
        self.workers = gauge("workers", "Workers that serve.")
        self.pool_in_use = gauge("pool_in_use", "Database connections in use.")
        self.pool_overflow = gauge("pool_overflow", "Database connections beyond the pool's own size.")
        self.pool_limit = gauge("pool_limit", "Database connections that may be open.")
        self.writers_waiting = gauge("writers_waiting", "Transactions that wait for their turn to write.")

    def begin_serving(self) -> None:
        """Set what does not change while this process serves."""
        self.workers.set(1)
        self.pool_limit.set(POOL_SIZE + MAX_OVERFLOW)
