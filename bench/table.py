"""Shows results as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.subjects import SUBJECTS, TWINS

NAMES = {
    "workroom": "Workroom",
    "before": "before",
    "quart": "Quart twin",
    "starlette": "Starlette twin",
    "fastapi": "FastAPI twin",
    "litestar": "Litestar twin",
}


def as_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table. All columns but the first are aligned to the right."""
    lines = [headings, ["---", *("---:" for _ in headings[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def result_table(numbers: Mapping[str, Mapping[str, float]]) -> str:
    """Return the numbers of one database: each subject with its twins below."""
    headings = [
        "subject",
        "server",
        "CPU ms",
        "× bare Quart",
        "× Quart twin",
        "× before",
        "p50 ms",
        "p99 ms",
        "KB",
    ]
    return as_table(headings, list(_rows(numbers)))


def _rows(numbers: Mapping[str, Mapping[str, float]]) -> Iterator[list[str]]:
    titles = {"bare": "Bare Quart: a line of text", **{subject.key: subject.title for subject in SUBJECTS}}
    for key, title in titles.items():
        for server in ("workroom", "before", *TWINS):
            if (found := numbers.get(f"{server}/{key}")) is None:
                continue
            ratios = [
                f"{found[name]:.2f}" if name in found else "" for name in ("x_bare", "x_twin", "x_before")
            ]
            times = [f"{found['p50_ms']:.1f}", f"{found['p99_ms']:.1f}"]
            cpu, size = f"{found['cpu_ms']:.2f}", f"{found['bytes'] / 1000:.1f}"
            yield [title, NAMES[server], cpu, *ratios, *times, size]


def comparison(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Compare two results of different runs, subject by subject, on each database that both have.

    Only ratios to bare Quart are compared, because they hardly depend on the machine and its other load.
    """
    titles = {subject.key: subject.title for subject in SUBJECTS}
    headings = ["subject", "database", f"× bare, {old['commit']}", f"× bare, {new['commit']}", "change"]
    rows = []
    for database in (name for name in new["databases"] if name in old["databases"]):
        for key, title in titles.items():
            before, now = (
                result["databases"][database]["subjects"].get(f"workroom/{key}", {}).get("x_bare")
                for result in (old, new)
            )
            if before and now:
                change = f"{(now / before - 1) * 100:+.0f} %"
                rows.append([title, database, f"{before:.1f}", f"{now:.1f}", change])
    return as_table(headings, rows)
