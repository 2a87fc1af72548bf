"""Writes a result into docs/performance.md: its tables between two markers, and its charts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bench.chart import Bar, Group, draw
from bench.checkouts import ROOT
from bench.service import WRITERS
from bench.subjects import SUBJECTS, TWIN_OF_WORKROOM, TWINS, Subject
from bench.table import NAMES, as_table

PAGE: Final = ROOT / "docs/performance.md"
RESULTS: Final = ROOT / "bench/results"
_CHARTS: Final = ROOT / "docs/images"
_START: Final = "<!-- results: {} -->"
_END: Final = "<!-- /results -->"
_DATABASES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

Subjects = Mapping[str, Mapping[str, float]]


def named_result(page: str) -> str:
    """Return the name of the result file whose tables the page shows."""
    return page.partition("<!-- results: ")[2].partition(" -->")[0]


def write(result_file: Path) -> None:
    """Replace the tables and the charts by those of a kept result."""
    page, result = PAGE.read_text(encoding="utf-8"), json.loads(result_file.read_text(encoding="utf-8"))
    PAGE.write_text(with_results(page, result_file.name, result), encoding="utf-8")
    for name, chart in charts(result).items():
        (_CHARTS / name).write_text(chart, encoding="utf-8")


def with_results(page: str, name: str, result: Mapping[str, Any]) -> str:
    """Return the page with the tables of another result between its markers."""
    before = page.partition("<!-- results: ")[0]
    after = page.partition(_END)[2]
    return f"{before}{_START.format(name)}\n\n{_as_markdown(result)}\n\n{_END}{after}"


def charts(result: Mapping[str, Any]) -> dict[str, str]:
    """Return a chart for each database, by the name of its file."""
    return {
        f"performance-{database}.svg": draw(
            f"CPU time of a request on {_DATABASES[database]}",
            "in multiples of bare Quart, which returns a line of text. Orange: the goal",
            list(_groups(measured["subjects"])),
        )
        for database, measured in result["databases"].items()
    }


def _groups(subjects: Subjects) -> Iterator[Group]:
    for subject in SUBJECTS:
        if (ours := subjects.get(f"workroom/{subject.key}")) is None:
            continue
        bars = [Bar("Workroom", ours["x_bare"], "main", _goal_in_bare(subject, subjects))]
        for server in ("before", *TWINS):
            if (found := subjects.get(f"{server}/{subject.key}")) is not None:
                bars.append(Bar(NAMES[server], found["x_bare"], "before" if server == "before" else "other"))
        yield Group(subject.title.replace("`", ""), bars)


def _goal_in_bare(subject: Subject, subjects: Subjects) -> float | None:
    """Return the goal in multiples of bare Quart, or None if there is none or it is unknown."""
    if subject.by_bare is not None:
        return subject.by_bare
    twin = subjects.get(f"{TWIN_OF_WORKROOM}/{subject.key}")
    return None if twin is None or subject.by_twin is None else subject.by_twin * twin["x_bare"]


def _as_markdown(result: Mapping[str, Any]) -> str:
    beside = f", beside `{result['against']}` (before)" if result["against"] else ""
    parts = [f"Measured on `{result['commit']}`{beside}, {result['rounds']} rounds. {result['machine']}."]
    for database, measured in result["databases"].items():
        title = _DATABASES[database]
        parts += [
            f"### {title}",
            f"![CPU time of requests on {title}](images/performance-{database}.svg)",
            _subject_table(measured["subjects"]),
            _twin_table(measured["subjects"]),
        ]
        if "writers" in measured:
            parts.append(_server_table(measured))
    return "\n\n".join(parts)


def _subject_table(subjects: Subjects) -> str:
    headings = [
        "Workroom", "CPU ms", "before", "× bare Quart", "× Quart twin", "goal", "p50 ms", "p99 ms", "KB",
    ]  # fmt: skip
    rows = []
    for subject in SUBJECTS:
        if (ours := subjects.get(f"workroom/{subject.key}")) is None:
            continue
        before = subjects.get(f"before/{subject.key}", {})
        rows.append(
            [
                subject.title,
                f"{ours['cpu_ms']:.2f}",
                _number(before.get("cpu_ms")),
                _number(ours.get("x_bare")),
                _number(ours.get("x_twin")),
                ", ".join(_goals(subject, ours)),
                f"{ours['p50_ms']:.0f}",
                f"{ours['p99_ms']:.0f}",
                f"{ours['bytes'] / 1000:.1f}",
            ]
        )
    return as_table(headings, rows)


def _goals(subject: Subject, ours: Mapping[str, float]) -> Iterator[str]:
    """Yield each goal of a subject, and whether it is met."""
    goals = (
        (subject.by_twin, ours.get("x_twin"), "{:g} × twin"),
        (subject.by_bare, ours.get("x_bare"), "{:g} × bare"),
        (subject.size and subject.size / 1000, ours["bytes"] / 1000, "{:g} KB"),
    )
    for goal, reached, text in goals:
        if goal and reached is not None:
            yield f"≤ {text.format(goal)} {'✓' if reached <= goal else '✗'}"


def _twin_table(subjects: Subjects) -> str:
    keys = [subject for subject in SUBJECTS if f"{TWIN_OF_WORKROOM}/{subject.key}" in subjects]
    servers = [name for name in TWINS if any(f"{name}/{subject.key}" in subjects for subject in keys)]
    bare = subjects[f"{TWIN_OF_WORKROOM}/bare"]["cpu_ms"]
    rows = [["Bare Quart: a line of text", f"{bare:.2f}", *("" for _ in servers[1:])]]
    rows += [
        [
            subject.title,
            *(_number(subjects.get(f"{name}/{subject.key}", {}).get("cpu_ms")) for name in servers),
        ]
        for subject in keys
    ]
    return as_table(["twins, CPU ms", *(NAMES[name] for name in servers)], rows)


def _server_table(measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    servers = [name for name in ("workroom", "before", *TWINS) if name in measured["memory"]]
    requests = f"{measured['memory'][servers[0]]['requests']:,}"
    lines = (
        (f"creating tasks over {WRITERS} connections: p50 ms", "writers", "p50_ms"),
        (f"creating tasks over {WRITERS} connections: p99 ms", "writers", "p99_ms"),
        ("memory at the start, MB", "memory", "started_mb"),
        ("memory after each kind of request, MB", "memory", "warm_mb"),
        (f"memory after {requests} more requests, MB", "memory", "later_mb"),
        ("CPU seconds until it answers", "start", "serve_cpu_s"),
        ("CPU seconds until two workers have started", "start", "two_workers_cpu_s"),
        ("memory of two workers and their supervisor, MB", "start", "two_workers_mb"),
    )
    rows = [
        [title, *(_number(measured[part].get(name, {}).get(key)) for name in servers)]
        for title, part, key in lines
    ]
    return as_table(["the whole server", *(NAMES[name] for name in servers)], rows)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"
