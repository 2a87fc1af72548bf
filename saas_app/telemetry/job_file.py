"""Writes the result of a scheduled command to a file that node_exporter's textfile collector reads."""

from __future__ import annotations

import time
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile


def write_reconcile_result(file: Path, *, repaired: int, failed: int) -> None:
    """Write when ``saas-app reconcile`` ended, and what it repaired and could not. Replaces the file."""
    registry = CollectorRegistry()

    def gauge(name: str, text: str, value: float) -> None:
        Gauge(f"workroom_reconcile_{name}", text, registry=registry).set(value)

    gauge("last_run_timestamp_seconds", "When the last run ended, in Unix seconds.", time.time())
    gauge("repaired", "Differences from Logto that the last run repaired.", repaired)
    gauge("failed", "Differences from Logto that the last run could not repair.", failed)
    write_to_textfile(str(file), registry)
