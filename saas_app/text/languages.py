"""The languages of Workroom and their catalogues. English is the language of the source.

Each other language is one file, ``translations/<tag>.po``, read when it is first needed. The language of the
work at hand is set with :func:`speak`: by a request from its reader's choice, by a command from its
environment. Everything else asks :func:`current_language`.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE: Final = "en"
TRANSLATIONS: Final = Path(__file__).resolve().parents[2] / "translations"

_language: ContextVar[str] = ContextVar("language", default=SOURCE)


@cache
def languages() -> tuple[str, ...]:
    """Return the tags (RFC 5646) of all languages, English first."""
    return (SOURCE, *sorted(path.stem for path in TRANSLATIONS.glob("*.po")))


def language_name(tag: str) -> str:
    """Return the language's own name for itself, such as *Español*."""
    name = locale_of(tag).get_display_name(locale_of(tag)) or tag
    return name[:1].upper() + name[1:]


@cache
def locale_of(tag: str) -> Locale:
    """Return the locale that formats dates and numbers for a tag."""
    return Locale.parse(tag, sep="-")


@cache
def catalogue(tag: str) -> gettext.NullTranslations:
    """Return the messages of a language. What a catalogue lacks stays English."""
    if tag == SOURCE:
        return gettext.NullTranslations()
    with (TRANSLATIONS / f"{tag}.po").open("rb") as file:
        messages = read_po(file, locale=tag.replace("-", "_"))
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def current_language() -> str:
    """Return the tag of the language in which texts are shown now."""
    return _language.get()


def speak(tag: str) -> None:
    """Show texts in this language from here on, in this task."""
    _language.set(tag)


@contextmanager
def speaking(tag: str) -> Iterator[None]:
    """Show texts in this language inside the block."""
    token = _language.set(tag)
    try:
        yield
    finally:
        _language.reset(token)
