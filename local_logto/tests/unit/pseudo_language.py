"""A language in which every text of the catalogue stands in brackets, to find texts that are not in it."""

from __future__ import annotations

import gettext
import re
from html.parser import HTMLParser

TAG = "eo"  # a language of CLDR without a catalogue here
_BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
_SPOKEN = ("aria-label", "title", "placeholder", "alt", "data-done")
_UNREAD = ("script", "style", "code", "svg", "time", "option")


class Brackets(gettext.NullTranslations):
    """The catalogue of this language."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = [""]
        self._unread: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self._unread.append(tag)
        elif not self._unread and tag not in ("strong", "span", "a", "small"):
            self.texts.append("")
        if not self._unread:
            self.texts[-1:-1] = [value or "" for name, value in attrs if name in _SPOKEN]

    def handle_endtag(self, tag: str) -> None:
        if self._unread and self._unread[-1] == tag:
            self._unread.pop()

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.texts[-1] += data


def escaped_texts(html: str, *data: str) -> list[str]:
    """Return what a page in this language shows outside of brackets, without the data of the test."""
    reader = _Reader()
    reader.feed(html)
    found = []
    for text in reader.texts:
        left, before = text, ""
        while left != before:
            left, before = _BRACKETED.sub("", left), left
        for value in sorted(data, key=len, reverse=True):
            left = left.replace(value, "")
        if re.search(r"[^\W\d_]{2,}", left):
            found.append(" ".join(left.split()))
    return found
