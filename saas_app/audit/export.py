"""The audit log as CSV: one line for each event, with all columns."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from saas_app.audit.values import EventRow
from saas_app.web.csv_stream import csv_chunks, moment_cell

COLUMNS = (
    "Time (UTC)", "Actor type", "Actor id", "Actor", "Action", "Target type", "Target id", "Target",
    "Outcome", "Before", "After", "Decision", "Request id", "Address", "Event id",
    "On behalf of id", "On behalf of",
)  # fmt: skip


def event_chunks(batches: AsyncIterator[list[EventRow]]) -> AsyncIterator[bytes]:
    """Yield the file in chunks, as the events are read."""
    return csv_chunks(COLUMNS, batches, _cells)


def _cells(row: EventRow) -> tuple[str, ...]:
    return (
        moment_cell(row.occurred_at),
        row.actor_type.value,
        row.actor_id,
        row.actor_name,
        row.action,
        row.target_type,
        row.target_id,
        row.target_name,
        row.outcome.value,
        _json(row.before),
        _json(row.after),
        _json(row.plain_decision),
        row.request_id,
        row.address,
        str(row.id),
        row.behalf_id or "",
        row.behalf_name or "",
    )


def _json(value: dict[str, Any] | None) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
