"""Texts for people: English in the source, translated when they are shown.

Modules import :func:`_`, and where a number decides :func:`ngettext`. Both return a :class:`Sentence`, also
when a module is imported: labels of forms and titles of errors need no request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

from babel.numbers import format_decimal
from markupsafe import Markup, escape

from saas_app.text.languages import SOURCE, catalogue, current_language, locale_of
from saas_app.text.visible import BLANK_NAME, isolated, runs_right_to_left

__all__ = ["Sentence", "_", "ngettext", "number", "pgettext", "said"]

_ISOLATES: Final = str.maketrans("", "", "\u2068\u2069")
_NO_VALUES: Final[Mapping[str, Any]] = {}
_ONLY_NAMES: Final = re.compile(r"(?:[^%]|%%|%\(\w+\)s)*")


class Sentence(str):
    """A text in English that pages show in the reader's language, with the names in it isolated.

    Names are put in with :func:`~saas_app.text.visible.isolated` around each. As a string it is English
    without isolates, so that the audit log, logs and headers stay the same for everybody and free of
    invisible characters. Jinja calls ``__html__`` and shows the translation. Formatting and joining work on
    the English text, so a sentence in another one is a value of that one, and a notice uses :attr:`shown`.
    Our names never hold isolates themselves.
    """

    __slots__ = ("_context", "_message", "_plural", "_values")

    _message: str
    _plural: str
    _context: str
    _values: Mapping[str, Any]

    def __new__(
        cls,
        message: str,
        values: Mapping[str, Any] = _NO_VALUES,
        *,
        plural: str = "",
        context: str = "",
    ) -> Self:
        """Create a sentence from a message and the values of its placeholders. A sentence stays itself.

        With a ``plural``, the value ``num`` decides between the two.
        """
        if isinstance(message, cls):
            return message
        parts = (message, plural, context, values)
        sentence = super().__new__(cls, _formatted(SOURCE, *parts).translate(_ISOLATES))
        sentence._message, sentence._plural, sentence._context, sentence._values = parts
        return sentence

    @classmethod
    def naming(cls, text: str, names: Iterable[str]) -> Self:
        """Isolate the names in a sentence that was stored as plain text."""
        for name in filter(runs_right_to_left, names):
            text = text.replace(name, isolated(name))
        return cls(text)

    @classmethod
    def joined(cls, parts: Iterable[object], by: str = ", ") -> Self:
        """Return texts one after the other. Those that are sentences follow the reader's language."""
        values = {f"part{place}": part for place, part in enumerate(parts)}
        return cls(by.join(f"%({name})s" for name in values), values)

    @property
    def shown(self) -> str:
        """The translation with its names isolated, for a notice that is stored until the next page."""
        return _formatted(current_language(), self._message, self._plural, self._context, self._values)

    @property
    def said(self) -> str:
        """The translation without isolates, for programs and terminals."""
        return self.shown.translate(_ISOLATES)

    def __html__(self) -> Markup:
        """Return what Jinja shows."""
        return escape(self.shown)

    def as_json(self) -> dict[str, Any]:
        """Return the sentence as JSON, without isolates, to store it for readers of other languages."""
        values = {
            name: value.as_json()
            if isinstance(value, Sentence)
            else value.translate(_ISOLATES)
            if isinstance(value, str)
            else value
            for name, value in self._values.items()
        }
        parts = {"message": self._message, "plural": self._plural, "context": self._context}
        return {**{name: part for name, part in parts.items() if part}, "values": values}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Create the sentence of :meth:`as_json` again, with its names isolated.

        Raises :class:`ValueError`, :class:`KeyError` or :class:`TypeError` for JSON that is none.
        """
        parts = (kept["message"], kept.get("plural", ""))
        if not all(isinstance(part, str) and _ONLY_NAMES.fullmatch(part) for part in parts):
            raise ValueError("not a message")
        values = {
            name: cls.from_json(value)
            if isinstance(value, Mapping)
            else isolated(value)
            if isinstance(value, str)
            else value
            for name, value in kept["values"].items()
        }
        return cls(parts[0], values, plural=parts[1], context=str(kept.get("context", "")))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self._message, dict(self._values), self._plural, self._context)


def _(message: str, **values: Any) -> Sentence:
    """Return a text, with values in the places of ``%(name)s``."""
    return Sentence(message, values)


def ngettext(singular: str, plural: str, num: int, **values: Any) -> Sentence:
    """Return a text that depends on a number, whose place is ``%(num)s``."""
    return Sentence(singular, {**values, "num": num}, plural=plural)


def pgettext(context: str, message: str, **values: Any) -> Sentence:
    """Return a text whose English is ambiguous. The context tells translators which one is meant."""
    return Sentence(message, values, context=context)


def said(value: Any) -> Any:
    """Return a value for a program, with every sentence in it in the current language."""
    if isinstance(value, Sentence):
        return value.said
    if isinstance(value, dict):
        return {name: said(item) for name, item in value.items()}
    return [said(item) for item in value] if isinstance(value, list | tuple) else value


def number(value: int, language: str | None = None) -> str:
    """Format a whole number by the reader's language."""
    return (
        str(value)
        if 0 <= value < 1000
        else format_decimal(value, locale=locale_of(language or current_language()))
    )


def translated(language: str, message: str, plural: str = "", context: str = "", num: int = 0) -> str:
    """Look a message up in a catalogue, before its values are put in."""
    if not message:  # a catalogue has its header there
        return ""
    messages = catalogue(language)
    if plural:
        return (
            messages.npgettext(context, message, plural, num)
            if context
            else messages.ngettext(message, plural, num)
        )
    return messages.pgettext(context, message) if context else messages.gettext(message)


def _formatted(language: str, message: str, plural: str, context: str, values: Mapping[str, Any]) -> str:
    text = translated(language, message, plural, context, values.get("num", 0) if plural else 0)
    if not values:
        return text
    return text % {name: _value(language, value) for name, value in values.items()}


def _value(language: str, value: Any) -> Any:
    if isinstance(value, Sentence):
        return _formatted(language, value._message, value._plural, value._context, value._values)
    if value == BLANK_NAME:
        return translated(language, BLANK_NAME)
    return number(value, language) if type(value) is int else value


def _restored(
    kind: type[Sentence], message: str, values: Mapping[str, Any], plural: str, context: str
) -> Sentence:
    return kind(message, values, plural=plural, context=context)
