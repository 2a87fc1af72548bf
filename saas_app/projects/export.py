"""Projects and their tasks as CSV: one line per task, and one for a project without tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator

from saas_app.projects.values import ExportRow
from saas_app.web.csv_stream import csv_chunks, moment_cell

COLUMNS = (
    "Project",
    "Project status",
    "Description",
    "Task",
    "Task status",
    "Due",
    "Completed (UTC)",
    "Assignee",
)


def project_chunks(batches: AsyncIterator[list[ExportRow]]) -> AsyncIterator[bytes]:
    """Yield the file in chunks, as the rows are read."""
    return csv_chunks(COLUMNS, batches, _cells)


def _cells(row: ExportRow) -> tuple[str, ...]:
    return (
        row.project,
        row.project_status.value,
        row.description,
        row.task or "",
        row.task_status.value if row.task_status else "",
        row.due_on.isoformat() if row.due_on else "",
        moment_cell(row.completed_at),
        row.assignee or "",
    )
