"""Renames the product in a checkout. Run it again after a merge, to rename what came from upstream.

The package remains ``saas_app``. If it were renamed, every later change from upstream would be a conflict.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from saas_app.config import MIGRATIONS
from saas_app.errors import ConfigurationError
from saas_app.text.translation import _

ROOT: Final = MIGRATIONS.parent

_UPSTREAM: Final = "Workroom"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*( [A-Za-z0-9]+)*")
_LONGEST: Final = 24
_SENDER_LENGTH: Final = 11  # GSM: the letters and digits of an SMS's sender
_LINE_LENGTH: Final = 110
_MAX_PER_LINE: Final = 3  # names of the product in one line of code

_LEFT_OUT: Final = frozenset(
    {
        ".env",
        ".git",
        ".venv",
        "var",
        "local_logto",  # an independent project, used unchanged
        "CHANGELOG.md",  # the history of upstream, and its license
        "LICENSE",
        "docs/decisions",
        "docs/start-your-own.md",
        "saas_app/operations/renaming.py",
        "saas_app/operations/commands/rename.py",
        "tests/integration/operations/test_rename_command.py",
    }
)
_GENERATED: Final = frozenset(
    {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache"}
)


@dataclass(frozen=True, slots=True)
class ProductName:
    """A product's name for people and for identifiers, such as ``Blue Heron`` and ``blueheron``."""

    title: str

    @classmethod
    def parse(cls, title: str) -> ProductName:
        """Return a checked name. Raises :class:`ConfigurationError` if it does not fit."""
        if not _NAME.fullmatch(title) or not 2 <= len(title) <= _LONGEST:
            raise ConfigurationError(
                _(
                    "'%(title)s' cannot be used everywhere. Use 2 to %(longest)s letters A to Z, digits "
                    "and single spaces, starting with a letter. You can edit the texts in templates "
                    "afterward.",
                    title=title,
                    longest=_LONGEST,
                )
            )
        return cls(title)

    @property
    def compact(self) -> str:
        """The name without spaces."""
        return self.title.replace(" ", "")

    @property
    def slug(self) -> str:
        """The name in cookies, databases, host names and the Python distribution."""
        return self.compact.lower()


def rename(new: ProductName, old: ProductName | None = None, root: Path = ROOT) -> list[Path]:
    """Rename the product in a checkout. Return the paths of changed files, relative to ``root``.

    ``old`` defaults to upstream's name. Raises :class:`ConfigurationError` if the new name contains it.
    """
    old = old or ProductName(_UPSTREAM)
    if old.slug in new.slug and old != new:
        raise ConfigurationError(
            _(
                "'%(title)s' contains %(old)s, so a second run would go wrong.",
                title=new.title,
                old=old.title,
            )
        )
    changed = []
    names = (old.title, old.compact, old.slug, old.slug.upper())
    for path in _files(root):
        text = _read(path)
        if not any(name in text for name in names):
            continue
        code = _with_identifiers_renamed(text, old, new) if path.suffix == ".py" else text
        renamed = _renamed(code, old, new)
        if path == root / "pyproject.toml":
            renamed = _with_room_for(new, renamed)
        if renamed != text:
            path.write_text(renamed, encoding="utf-8")
            changed.append(path.relative_to(root))
    return changed


def _with_identifiers_renamed(code: str, old: ProductName, new: ProductName) -> str:
    """Rename identifiers in a Python file. They have no spaces."""
    lines = code.split("\n")
    tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    for token in reversed(tokens):  # from the end, so that earlier columns stay valid
        if token.type == tokenize.NAME and old.compact in token.string:
            row, (begin, end) = token.start[0] - 1, (token.start[1], token.end[1])
            renamed = token.string.replace(old.compact, new.compact)
            lines[row] = lines[row][:begin] + renamed + lines[row][end:]
    return "\n".join(lines)


def _renamed(text: str, old: ProductName, new: ProductName) -> str:
    for pattern, replacement in (
        (rf'(\bsender\W+){old.title}(?=")', rf"\g<1>{new.compact[:_SENDER_LENGTH]}"),
        (rf"\b{old.title}(?=-(demo|test)-)", new.compact),  # passwords
        (rf"(?<=class:`){old.title}(?=`)", new.compact),
        (rf"\b{old.title}\b", new.title),
        (rf"\b{old.compact}\b", new.compact),
        (old.slug.upper(), new.slug.upper()),
        (old.slug, new.slug),
    ):
        text = re.sub(pattern, replacement, text)
    return text


def _with_room_for(new: ProductName, pyproject: str) -> str:
    """Raise the limit for the length of lines if the name is longer. Comments are not wrapped again."""
    more = _MAX_PER_LINE * (len(new.title) - len(_UPSTREAM))
    section = "[tool.ruff.lint.pycodestyle]\n"
    if more <= 0 or section in pyproject:
        return pyproject
    return pyproject.replace(
        "[tool.mypy]\n", f"{section}max-line-length = {_LINE_LENGTH + more}\n\n[tool.mypy]\n", 1
    )


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        yield from _below(path, root)


def _below(path: Path, root: Path) -> Iterator[Path]:
    if path.relative_to(root).as_posix() in _LEFT_OUT or path.name in _GENERATED or path.is_symlink():
        return
    if path.is_dir():
        for inner in sorted(path.iterdir()):
            yield from _below(inner, root)
    elif _read(path):
        yield path


def _read(path: Path) -> str:
    """Return a file's text, or "" if it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
