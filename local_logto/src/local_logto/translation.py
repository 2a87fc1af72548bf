"""Texts of pages and commands: English in the source, translated when they are shown.

Modules import :func:`_`, and where a number decides :func:`ngettext`. Both return a :class:`Sentence`, also
when a module is imported. Each other language is one file, ``translations/<tag>.po``, read when it is first
needed. ``reader`` chooses the language of a request.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final, Self

from babel import Locale
from babel.dates import format_datetime
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment
from markupsafe import Markup, escape

SOURCE: Final = "en"
TRANSLATIONS: Final = Path(__file__).with_name("translations")

_language: ContextVar[str] = ContextVar("language", default=SOURCE)
_locale: ContextVar[Locale | None] = ContextVar("locale", default=None)
_Shown = Callable[[str], str]


class Sentence(str):
    """A text in English that pages show in the reader's language.

    As a string it is English, so that replies of the APIs and logs stay the same for everybody. Jinja calls
    ``__html__`` and shows the translation. Don't join sentences: use :func:`paragraph` or a placeholder.
    """

    __slots__ = ("_shown",)
    _shown: _Shown

    def __new__(cls, shown: _Shown) -> Self:
        """Create a sentence from the function that returns it in a language."""
        sentence = super().__new__(cls, shown(SOURCE))
        sentence._shown = shown
        return sentence

    def in_language(self, tag: str) -> str:
        return self._shown(tag)

    def __html__(self) -> Markup:
        return escape(self._shown(_language.get()))


def _(message: str, **values: object) -> Sentence:
    """Return a text, with values in the places of ``%(name)s``."""
    return Sentence(lambda tag: _filled(catalogue(tag).gettext(message), tag, values))


def ngettext(singular: str, plural: str, num: int, **values: object) -> Sentence:
    """Return a text that depends on a number, whose place is ``%(num)s``."""
    values = {**values, "num": num}
    return Sentence(lambda tag: _filled(catalogue(tag).ngettext(singular, plural, num), tag, values))


def either(choices: Sequence[str]) -> Sentence:
    """Return a phrase with all choices: *username, email or phone number*."""

    def shown(tag: str) -> str:
        return format_list([_in(tag, choice) for choice in choices], style="or", locale=locale_of(tag))

    return Sentence(shown)


def paragraph(*sentences: str) -> Sentence:
    """Return whole sentences one after the other. Empty ones are left out."""
    return joined(" ", [sentence for sentence in sentences if sentence])


def joined(separator: str, texts: Sequence[str]) -> Sentence:
    """Return texts with a separator that all languages use between them."""
    return Sentence(lambda tag: separator.join(_in(tag, text) for text in texts))


def install(environment: Environment) -> None:
    """Give templates ``_``, ``ngettext`` and ``{% trans %}``, the language, and the filter ``moment``."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: catalogue(_language.get()).gettext(message),
        lambda singular, plural, num: catalogue(_language.get()).ngettext(singular, plural, num),
        newstyle=True,
    )
    environment.globals["current_language"] = _language.get
    environment.filters["moment"] = moment


def moment(at: datetime) -> Markup:
    """Return a moment as a ``time`` element in the zone of this machine, with the exact UTC in its title."""
    locale = _locale.get() or locale_of(_language.get())
    shown = format_datetime(at.astimezone(), "medium", locale=locale)
    exact = at.astimezone(UTC)
    parts = exact.isoformat(timespec="seconds"), f"{exact:%Y-%m-%d %H:%M:%S} UTC", shown
    return Markup('<time datetime="{}" title="{}">{}</time>').format(*parts)


@contextmanager
def speaking(tag: str, locale: Locale | None = None) -> Iterator[None]:
    """Show texts in this language inside the block, and dates by the locale, which may name a region."""
    tokens = _language.set(tag), _locale.set(locale)
    try:
        yield
    finally:
        _language.reset(tokens[0])
        _locale.reset(tokens[1])


def said(text: str) -> str:
    """Return a text in the current language, if it is a sentence."""
    return _in(_language.get(), text)


def translated(message: str, plural: str = "", num: int = 1) -> str:
    """Return a message of the catalogue in the current language."""
    known = catalogue(_language.get())
    return known.ngettext(message, plural, num) if plural else known.gettext(message) if message else ""


@cache
def languages() -> tuple[str, ...]:
    """Return the tags of all languages, English first."""
    return (SOURCE, *sorted(path.stem for path in TRANSLATIONS.glob("*.po")))


@cache
def locale_of(tag: str) -> Locale:
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


def _in(tag: str, text: object) -> str:
    return text.in_language(tag) if isinstance(text, Sentence) else str(text)


def _filled(text: str, tag: str, values: Mapping[str, object]) -> str:
    return text % {name: _in(tag, value) for name, value in values.items()} if values else text
