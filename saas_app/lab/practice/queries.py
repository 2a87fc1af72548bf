"""Statements on a learner's progress with flaws, which is stored as runs of lessons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.upsert import upsert
from saas_app.lab.practice.values import BreakRun, CheckResult, Sent
from saas_app.models import LabRun


async def find_break_run(db: DatabaseSession, subject: str, name: str) -> BreakRun:
    """Return how far a learner is with a flaw. Progress that was not stored yet is empty."""
    columns = (LabRun.prediction, LabRun.predicted_at, LabRun.class_code, LabRun.answer, LabRun.done_at)
    statement = sa.select(*columns, LabRun.evidence)
    row = (await db.execute(statement.where(LabRun.subject == subject, LabRun.lesson == name))).one_or_none()
    if row is None:
        return BreakRun()
    stored: Mapping[str, Any] = row.evidence or {}
    last, leak = stored.get("last"), stored.get("leak")
    return BreakRun(
        workspace_id=stored.get("workspace", ""),
        last=Sent.from_json(last) if last else None,
        leak=Sent.from_json(leak) if leak else None,
        fix=stored.get("fix", ""),
        results=tuple(map(CheckResult.from_json, stored.get("results", ()))),
        first_fix=row.prediction,
        first_fix_at=row.predicted_at,
        class_code=row.class_code,
        right_fix=row.answer,
        done_at=row.done_at,
    )


async def save_break_run(db: WritingSession, subject: str, name: str, run: BreakRun) -> None:
    """Store how far a learner is with a flaw. The first fix is stored as their prediction."""
    row = {
        "subject": subject,
        "lesson": name,
        "prediction": run.first_fix,
        "predicted_at": run.first_fix_at,
        "class_code": run.class_code,
        "answer": run.right_fix,
        "evidence": run.evidence(),
        "done_at": run.done_at,
    }
    await upsert(db, LabRun, [row], key=("subject", "lesson"))


async def delete_break_run(db: WritingSession, subject: str, name: str) -> None:
    """Delete a learner's progress with a flaw. A first fix that counts in a class stays."""
    found = (LabRun.subject == subject, LabRun.lesson == name)
    counts = LabRun.class_code.is_not(None)
    nothing = {"evidence": sa.null(), "answer": None, "done_at": None}
    await db.execute(sa.update(LabRun).where(*found, counts).values(nothing))
    await db.execute(sa.delete(LabRun).where(*found, sa.not_(counts)))
