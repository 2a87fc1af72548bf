"""Files of ``KEY=value`` lines: read as an overlay under the environment, written without losing a line.

A shell can source what is written here; nothing in such a file is ever executed or expanded by us.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

from saas_app.errors import ConfigurationError

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")
_UNQUOTED_COMMENT = re.compile(r"\s#.*$")


def read_env_file(path: Path) -> dict[str, str]:
    """The values in a file. Raises :class:`ConfigurationError` when it is missing or cannot be read."""
    try:
        lines = _lines(path)
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no {path}. Run 'saas-app provision --write-env {path}' to make it."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {_reason(error)}.") from None
    values = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigurationError(f"{path}, line {number}: expected KEY=value.")
        try:
            values[match["name"]] = _unquote(match["value"].strip())
        except ValueError:
            raise ConfigurationError(f"{path}, line {number}: a quotation mark is not closed.") from None
    return values


def overlay_environment(path: Path) -> None:
    """Put a file's values into the environment where it does not hold them already."""
    for name, value in read_env_file(path).items():
        os.environ.setdefault(name, value)


def write_env_file(path: Path, values: Mapping[str, str]) -> None:
    """Set values in a file, readable by its owner only; its other lines stay as they are.

    Raises :class:`ConfigurationError` when it cannot be written.
    """
    try:
        target = path.resolve()
        existing = _lines(target) if target.exists() else []
        _replace(target, "\n".join(_merged(existing, values)) + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be written: {_reason(error)}.") from None


def _lines(path: Path) -> list[str]:
    """The lines of a file, however its editor ends them; some begin it with a byte order mark."""
    lines = re.split(r"\r\n|\n|\r", path.read_bytes().decode("utf-8-sig"))
    return lines[:-1] if lines[-1] == "" else lines


def _merged(lines: list[str], values: Mapping[str, str]) -> list[str]:
    merged: list[str] = []
    written: set[str] = set()
    for line in lines:
        match = _LINE.fullmatch(line)
        name = str(match["name"]) if match else ""
        if name not in values:
            merged.append(line)
        elif name not in written:  # a second line for the same name would win over ours
            merged.append(_assignment(name, values[name]))
            written.add(name)
    return merged + [_assignment(name, value) for name, value in values.items() if name not in written]


def _assignment(name: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise ConfigurationError(f"{name} holds a line break, which an environment file cannot carry.")
    return f"{name}={shlex.quote(value) if value else ''}"


def _unquote(value: str) -> str:
    if value[:1] in ("'", '"'):
        words = shlex.split(value, comments=True)
        return words[0] if words else ""
    return _UNQUOTED_COMMENT.sub("", value).rstrip()


def _replace(target: Path, text: str) -> None:
    """Write beside the file and rename, so that nobody ever reads half of it."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"
