"""What people type into fields, made fit to be stored and shown."""

from __future__ import annotations

import unicodedata

from wtforms.validators import Length


def clean_line(value: str | None) -> str:
    """Composed (NFC), on one line, without control characters and outer spaces."""
    return _printable((value or "").replace("\n", " ").replace("\t", " ")).strip()


def clean_text(value: str | None) -> str:
    """Composed (NFC), lines ended by a line feed, without control characters and outer spaces."""
    lines = (value or "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(_printable(line.replace("\t", " ")) for line in lines).strip()


def at_most(characters: int) -> Length:
    """The bound of a field, in our words."""
    return Length(max=characters, message=f"Use at most {characters} characters.")


def _printable(value: str) -> str:
    composed = unicodedata.normalize("NFC", value)
    return "".join(char for char in composed if unicodedata.category(char) not in ("Cc", "Cs"))
