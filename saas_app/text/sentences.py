"""Sentences with names in them: names are isolated on a page, and programs get plain text. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from markupsafe import Markup, escape

from saas_app.text.visible import isolated, runs_right_to_left

_ISOLATES = str.maketrans("", "", "\u2068\u2069")


class Sentence(str):
    """A sentence that pages show with its names isolated, and that is plain text everywhere else.

    It is written with :func:`~saas_app.text.visible.isolated` around each name. As a string it has no
    isolates, so that JSON, the audit log, logs and headers stay free of invisible characters. Jinja calls
    ``__html__`` and shows the names isolated. Formatting and joining work on the plain text; what a page is
    to show of the result is made with :attr:`shown`. Our names never hold isolates themselves.
    """

    shown: str
    """The sentence with its names isolated, for building another sentence or a notice."""

    def __new__(cls, text: str) -> Self:
        """Create a sentence from a text with isolated names. A sentence is returned unchanged."""
        shown = text.shown if isinstance(text, Sentence) else text
        sentence = super().__new__(cls, shown.translate(_ISOLATES))
        sentence.shown = shown
        return sentence

    @classmethod
    def naming(cls, text: str, names: Iterable[str]) -> Self:
        """Isolate the names in a sentence that was stored as plain text."""
        for name in filter(runs_right_to_left, names):
            text = text.replace(name, isolated(name))
        return cls(text)

    def __html__(self) -> Markup:
        """Return what Jinja shows."""
        return escape(self.shown)
