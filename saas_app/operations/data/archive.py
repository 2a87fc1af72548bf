"""The file of an export: a zip with ``manifest.json`` and one file of JSON Lines for each table.

``docs/data.md`` documents the format. Neither writing nor reading holds more than a batch of rows in memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from saas_app.errors import ConfigurationError
from saas_app.operations.data.encoding import encode
from saas_app.text.translation import Sentence, _

VERSION: Final = 1
MANIFEST: Final = "manifest.json"
_LONGEST_LINE: Final = 1_000_000  # bytes of a row
_SMALL: Final = 1_000_000  # bytes; below that, any compression is accepted
_LARGEST_RATIO: Final = 500  # rows contain random ids, which do not compress
_MODE: Final = 0o600


class UnusableFile(ConfigurationError):
    """The file of an export cannot be read or written. The message says why."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Named(_Model):
    """An organization or a person."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    name: str | None = None


class TableFile(_Model):
    """The number of rows in the file of a table, and its SHA-256."""

    rows: int = Field(ge=0)
    sha256: str


class Manifest(_Model):
    """What an export contains. ``revision`` is the migration of the database that it was read from."""

    format: Literal["workroom-organization", "workroom-person"]
    version: int
    revision: str
    exported_at: AwareDatetime
    organization: Named | None = None
    person: Named | None = None
    tables: dict[str, TableFile]
    left_out: dict[str, str]


class ArchiveWriter:
    """Writes the tables of an export, and the manifest at the end."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.tables: dict[str, TableFile] = {}

    async def write_table(self, name: str, pages: AsyncIterator[list[dict[str, Any]]]) -> None:
        """Write the rows of a table, in the order in which they come."""
        digest, count = hashlib.sha256(), 0
        with self._archive.open(_file_of(name), "w", force_zip64=True) as file:
            async for rows in pages:
                for row in rows:
                    line = _line(row)
                    if len(line) > _LONGEST_LINE:
                        raise UnusableFile(
                            _(
                                "A row of %(name)s has more than %(longest_line)s bytes.",
                                name=name,
                                longest_line=_LONGEST_LINE,
                            )
                        )
                    digest.update(line)
                    file.write(line)
                count += len(rows)
        self.tables[name] = TableFile(rows=count, sha256=digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest."""
        text = manifest.model_dump(mode="json", exclude_none=True)
        self._archive.writestr(MANIFEST, json.dumps(text, indent=2, ensure_ascii=False))


@contextlib.contextmanager
def new_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Create a file that only its owner may read. It appears under its name when the block ends well.

    Raises :class:`UnusableFile` if the file exists already, or cannot be written.
    """
    if os.path.lexists(path):
        raise UnusableFile(_("%(path)s exists already. Choose another file.", path=path))
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # with mode 0600
    except OSError as error:
        raise UnusableFile(
            _("%(path)s cannot be written: %(strerror)s.", path=path, strerror=error.strerror)
        ) from None
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                yield ArchiveWriter(archive)
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, it never replaces a file that appeared meanwhile
    except OSError as error:
        raise UnusableFile(
            _("%(path)s cannot be written: %(strerror)s.", path=path, strerror=error.strerror)
        ) from None
    finally:
        Path(draft).unlink()


class ArchiveReader:
    """Reads an export. Every method raises :class:`UnusableFile` if the file is damaged."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self.manifest = self._read_manifest()

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table. At the end, its number of rows and its SHA-256 are checked."""
        expected, digest, count = self.manifest.tables[name], hashlib.sha256(), 0
        for line in self._lines(name):
            digest.update(line)
            count += 1
            yield self._row(name, count, line)
        if (count, digest.hexdigest()) != (expected.rows, expected.sha256):
            self.refuse(
                _(
                    "%(name)s is not what its manifest says: it was changed or is incomplete",
                    name=_file_of(name),
                )
            )

    def refuse(self, why: Sentence) -> NoReturn:
        """Raise the error that says why the file cannot be used."""
        raise UnusableFile(_("%(path)s: %(why)s. Nothing was imported.", path=self._path, why=why)) from None

    def _read_manifest(self) -> Manifest:
        names = self._archive.namelist()
        if names.count(MANIFEST) != 1:
            self.refuse(
                _("it is not an export of Workroom, because it has no %(manifest)s", manifest=MANIFEST)
            )
        manifest = self._parse_manifest(b"".join(self._lines_of(MANIFEST)))
        if sorted(names) != sorted([MANIFEST, *map(_file_of, manifest.tables)]):
            self.refuse(_("it does not contain exactly the files that its manifest names"))
        return manifest

    def _parse_manifest(self, text: bytes) -> Manifest:
        try:
            found = json.loads(text)
            if isinstance(found, dict) and found.get("version") != VERSION:
                self.refuse(
                    _(
                        "its format has the version %(found)s, not %(version)s",
                        found=repr(found.get("version"))[:20],
                        version=str(VERSION),
                    )
                )
            return Manifest.model_validate(found)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))[:64]
            self.refuse(_("its manifest is invalid at '%(where)s'", where=where))
        except (ValueError, RecursionError):
            self.refuse(_("its manifest is no JSON"))

    def _lines(self, name: str) -> Iterator[bytes]:
        return self._lines_of(_file_of(name))

    def _lines_of(self, member: str) -> Iterator[bytes]:
        info = self._archive.getinfo(member)
        if info.file_size > max(_SMALL, info.compress_size * _LARGEST_RATIO):
            self.refuse(
                _("%(member)s would unpack to %(file_size)s bytes", member=member, file_size=info.file_size)
            )
        try:
            with self._archive.open(info) as file:
                while line := file.readline(_LONGEST_LINE + 1):
                    if len(line) > _LONGEST_LINE:
                        self.refuse(
                            _(
                                "%(member)s has a line of more than %(longest_line)s bytes",
                                member=member,
                                longest_line=_LONGEST_LINE,
                            )
                        )
                    yield line
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            self.refuse(_("%(member)s is damaged", member=member))

    def _row(self, name: str, number: int, line: bytes) -> dict[str, Any]:
        try:
            row = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            self.refuse(
                _("line %(number)s of %(name)s is no JSON object", number=str(number), name=_file_of(name))
            )
        return row


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[ArchiveReader]:
    """Open an export. Raises :class:`UnusableFile`."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise UnusableFile(
            _("%(path)s cannot be read: %(strerror)s.", path=path, strerror=error.strerror)
        ) from None
    except zipfile.BadZipFile:
        raise UnusableFile(
            _("%(path)s: it is no zip file, or is incomplete. Nothing was imported.", path=path)
        ) from None
    with archive:
        yield ArchiveReader(path, archive)


def _file_of(table: str) -> str:
    return f"{table}.jsonl"


def _line(row: dict[str, Any]) -> bytes:
    values = {name: encode(value) for name, value in row.items()}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _refuse_constant(_text: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")
