"""Workspaces: a SQLite file for each learner and flaw, with the rows of two organizations."""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from saas_app.lab.broken.calls import Cache, Refused, Row
from saas_app.lab.broken.flaw import Flaw, Variant
from saas_app.lab.broken.flaws import FLAWS

_MAX_AGE: Final = 24 * 3600.0  # seconds after which a workspace is deleted
_MAX_COUNT: Final = 500  # beyond that, the oldest are deleted
_MAX_MEMBERS: Final = 20
_MAX_TEXT: Final = 256  # characters
_TITLES: Final = ("Plan for next year", "Customer interviews", "Prices under discussion")
_TABLES: Final = """
    CREATE TABLE workspace (flaw TEXT, variant TEXT);
    CREATE TABLE reports (
        id INTEGER PRIMARY KEY, code TEXT, organization_id TEXT, title TEXT, text TEXT, confidential INTEGER
    );
    CREATE TABLE members (subject TEXT, organization_id TEXT, role TEXT);
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A learner's database, and which variant of which flaw answers there."""

    id: str
    database: Path
    flaw: Flaw
    variant: Variant
    cache: Cache


@dataclass(slots=True)
class Workspaces:
    """All workspaces: files in a folder, and their caches in memory."""

    folder: Path
    _caches: dict[str, Cache] = field(default_factory=dict)

    def open(self, workspace_id: str) -> Workspace:
        """Return a workspace. Raises :class:`Refused` with 404 if there is none."""
        database = self._file(workspace_id)
        if not database.exists():
            raise Refused(404, "There is no such workspace.")
        with closing(_connect(database)) as connection:
            slug, name = connection.execute("SELECT flaw, variant FROM workspace").fetchone()
        flaw = FLAWS.get(slug)
        variant = flaw.find_variant(name) if flaw else None
        if flaw is None or variant is None:  # written by another version of this service
            raise Refused(404, "There is no such workspace.")
        return Workspace(
            workspace_id, database, flaw, variant, self._caches.setdefault(workspace_id, Cache())
        )

    def create(self, wanted: Any) -> str:
        """Create a workspace and return its id. Raises :class:`Refused` if ``wanted`` is incomplete."""
        flaw, variant, organizations, members = _read(wanted)
        self.delete_old()
        workspace_id = secrets.token_hex(16)
        with closing(_connect(self._file(workspace_id))) as connection, connection:
            connection.executescript(_TABLES)
            connection.execute("INSERT INTO workspace VALUES (?, ?)", (flaw.slug, variant.__name__))
            connection.executemany(
                "INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?)", _reports(organizations, flaw)
            )
            connection.executemany("INSERT INTO members VALUES (?, ?, ?)", members)
        return workspace_id

    def describe(self, workspace_id: str) -> Row:
        """Return the rows of a workspace, with the canary that each of them holds."""
        workspace = self.open(workspace_id)
        with closing(_connect(workspace.database)) as connection:
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute("SELECT * FROM reports ORDER BY id")]
        for row in rows:
            row["canary"] = row["text"].rpartition(" ")[2]
        return {
            "workspace": workspace.id,
            "flaw": workspace.flaw.slug,
            "variant": workspace.variant.__name__,
            "reports": rows,
        }

    def delete(self, workspace_id: str) -> None:
        """Delete a workspace, if it exists."""
        self._file(workspace_id).unlink(missing_ok=True)
        self._caches.pop(workspace_id, None)

    def delete_old(self) -> None:
        """Delete the workspaces that are older than a day, and the oldest of too many."""
        aged = sorted(((file.stat().st_mtime, file) for file in self.folder.glob("*.sqlite3")), reverse=True)
        for position, (made_at, file) in enumerate(aged, 1):
            if position >= _MAX_COUNT or made_at < time.time() - _MAX_AGE:
                self.delete(file.stem)

    def _file(self, workspace_id: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{32}", workspace_id, re.ASCII):
            raise Refused(404, "There is no such workspace.")
        return self.folder / f"{workspace_id}.sqlite3"


def _connect(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(database)


def _reports(organizations: list[tuple[str, str]], flaw: Flaw) -> list[tuple[object, ...]]:
    """Return three reports for each organization, by turns, so that ids alternate between them."""
    reports: list[tuple[object, ...]] = []
    for position, title in enumerate(_TITLES):
        for organization_id, label in reversed(organizations):
            is_confidential = flaw.confidential and position == len(_TITLES) - 1
            readers = "admins" if is_confidential else "members"
            text = f"Only for {readers} of {label}. Canary: {secrets.token_hex(8)}"
            code = secrets.token_urlsafe(12)
            reports.append((len(reports) + 1, code, organization_id, title, text, is_confidential))
    return reports


def _read(wanted: Any) -> tuple[Flaw, Variant, list[tuple[str, str]], list[tuple[str, str, str]]]:
    try:
        flaw = FLAWS[_text(wanted["flaw"])]
        variant = flaw.find_variant(_text(wanted.get("variant", flaw.variants[0].__name__)))
        organizations = [(_text(one["id"]), _text(one["name"])) for one in wanted["organizations"]]
        members = [
            (_text(one["subject"]), _text(one["organization_id"]), _text(one["role"]))
            for one in wanted.get("members", ())
        ]
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Refused(422, "A workspace needs a flaw, two organizations and members.") from None
    if variant is None or len(organizations) != 2 or len(members) > _MAX_MEMBERS:
        raise Refused(422, "A workspace needs a known variant, two organizations and at most 20 members.")
    return flaw, variant, organizations, members


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise ValueError("not a short text")
    return value
