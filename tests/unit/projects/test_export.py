"""The CSV export of projects and tasks."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

from saas_app.db.base import new_uuid
from saas_app.projects.export import COLUMNS, project_chunks
from saas_app.projects.values import ExportRow, ProjectStatus, TaskStatus


def export_row(**values: object) -> ExportRow:
    task: dict[str, object] = dict.fromkeys(("task_id", "task", "task_status", "due_on", "completed_at"))
    project = {"project_id": new_uuid(), "project": "Apollo", "description": ""}
    return ExportRow(**{**project, "project_status": ProjectStatus.ACTIVE, **task, **values})  # type: ignore[arg-type]


async def batches(*rows: list[ExportRow]) -> AsyncIterator[list[ExportRow]]:
    for batch in rows:
        yield batch


async def read(*rows: list[ExportRow]) -> list[list[str]]:
    content = b"".join([chunk async for chunk in project_chunks(batches(*rows))])
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def test_every_value_has_its_column() -> None:
    row = export_row(
        description='Two\nlines, "quoted"',
        task_id=new_uuid(),
        task="=cmd",
        task_status=TaskStatus.DONE,
        due_on=date(2026, 12, 24),
        completed_at=datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
        assignee="Sam",
    )
    head, line = await read([row])
    assert head == list(COLUMNS)
    assert line == [
        "Apollo",
        "active",
        'Two\nlines, "quoted"',
        "'=cmd",
        "done",
        "2026-12-24",
        "2026-11-21 08:30:00",
        "Sam",
    ]


async def test_a_project_without_tasks_has_one_line() -> None:
    assert (await read([export_row()]))[1:] == [["Apollo", "active", "", "", "", "", "", ""]]


async def test_without_projects_only_the_header_is_exported() -> None:
    assert await read() == [list(COLUMNS)]


async def test_each_batch_is_sent_as_soon_as_it_arrives() -> None:
    chunks = [
        chunk async for chunk in project_chunks(batches([export_row()], [export_row(project="Gemini")]))
    ]
    assert [chunk.decode().count("\r\n") for chunk in chunks] == [1, 1, 1]
    assert chunks[0].startswith(b"\xef\xbb\xbf")
    assert b"Gemini" in chunks[2]
