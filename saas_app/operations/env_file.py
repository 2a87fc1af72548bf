"""Environment files: ``KEY=value`` lines, which rank below the environment. Writing keeps all other lines.

python-dotenv parses each line, so a file means the same here as in Docker Compose and in editors. A shell
must be able to source it too: ``KEY = value`` is rejected. Nothing is ever executed or expanded.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from saas_app.errors import ConfigurationError
from saas_app.text.translation import _

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*=")


def read_env_file(path: Path) -> dict[str, str]:
    """Return the values in a file. Raises :class:`ConfigurationError` if it is missing or cannot be read."""
    try:
        lines = _lines(path)
    except FileNotFoundError:
        raise ConfigurationError(
            _(
                "%(path)s was not found. Run 'saas-app provision --write-env %(path)s' to create it.",
                path=path,
            )
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            _("Cannot read %(path)s: %(error)s.", path=path, error=_reason(error))
        ) from None
    values = {}
    for number, line in enumerate(lines, start=1):
        binding = _parse(line)
        if binding.error or (binding.key and not _ASSIGNMENT.match(line)):
            raise ConfigurationError(
                _(
                    "%(path)s, line %(number)s: expected KEY=value, with closed quotes.",
                    path=path,
                    number=str(number),
                )
            )
        if binding.key:
            values[binding.key] = binding.value or ""
    return values


def overlay_environment(path: Path) -> None:
    """Add a file's values to the environment. Variables that are set already keep their values."""
    for name, value in read_env_file(path).items():
        os.environ.setdefault(name, value)


def write_env_file(path: Path, values: Mapping[str, str]) -> None:
    """Set values in a file that only its owner can read. Its other lines do not change.

    Raises :class:`ConfigurationError` if it cannot be written.
    """
    try:
        target = path.resolve()
        existing = _lines(target) if target.exists() else []
        _replace(target, "\n".join(_merged(existing, values)) + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            _("Cannot write %(path)s: %(error)s.", path=path, error=_reason(error))
        ) from None


def _lines(path: Path) -> list[str]:
    """Return the lines of a file, with any line endings and with or without a byte order mark."""
    lines = re.split(r"\r\n|\n|\r", path.read_bytes().decode("utf-8-sig"))
    return lines[:-1] if lines[-1] == "" else lines


def _merged(lines: list[str], values: Mapping[str, str]) -> list[str]:
    merged: list[str] = []
    written: set[str] = set()
    for line in lines:
        name = _parse(line).key or ""
        if name not in values:
            merged.append(line)
        elif name not in written:  # a second line for the name would override this one
            merged.append(_assignment(name, values[name]))
            written.add(name)
    return merged + [_assignment(name, value) for name, value in values.items() if name not in written]


def _parse(line: str) -> Binding:
    return next(parse_stream(io.StringIO(f"{line}\n")))


def _assignment(name: str, value: str) -> str:
    """Return a line that python-dotenv, Docker Compose and shells read in the same way."""
    if "\n" in value or "\r" in value:
        raise ConfigurationError(
            _("%(name)s contains a line break, which is not possible in an environment file.", name=name)
        )
    if not value or shlex.quote(value) == value:
        return f"{name}={value}"
    if not re.search(r"['\\]", value):
        return f"{name}='{value}'"
    if re.search(r"[$`]", value):  # a shell would expand it in double quotes
        raise ConfigurationError(
            _(
                "%(name)s contains $ or ` as well as ' or \\, which an environment file cannot express.",
                name=name,
            )
        )
    escaped = re.sub(r'([\\"])', r"\\\1", value)
    return f'{name}="{escaped}"'


def _replace(target: Path, text: str) -> None:
    """Write a new file and rename it, so that nobody reads half of it."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else _("it is not UTF-8 text")
