"""A language in which every text of the catalogues stands between ⟦ and ⟧, to find those that are in none.

Only a text itself is enclosed, and not the values in it, so that a value that should have been a text of the
catalogues is found as well. The language is called Esperanto, because Babel knows how to write its dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from saas_app.text import languages
from saas_app.web import templating
from tools.update_translations import extract

TAG = "eo"

_PLACEHOLDER = re.compile(r"(%\(\w+\)s|\n)")
_ENCLOSED = re.compile(r"⟦[^⟦⟧]*⟧")


@contextmanager
def pseudo_locale(folder: Path) -> Iterator[str]:
    """Make the language known inside the block. Returns its tag."""
    with (folder / f"{TAG}.po").open("wb") as file:
        write_po(file, _catalogue())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(languages, "TRANSLATIONS", folder)
        _forget()
        yield TAG
    _forget()


def outside(text: str) -> str:
    """Return what is not a text of the catalogues."""
    while (shorter := _ENCLOSED.sub(" ", text)) != text:
        text = shorter
    return text


def enclosed(text: str) -> str:
    """Return a text with each part of it that is not a placeholder between ⟦ and ⟧."""
    parts = _PLACEHOLDER.split(text)
    return "".join(part if place % 2 or not part.strip() else f"⟦{part}⟧" for place, part in enumerate(parts))


@cache
def _catalogue() -> Catalog:
    catalog = Catalog(locale=TAG, charset="utf-8")
    for message in extract():
        if message.id:
            forms = (message.id,) if isinstance(message.id, str) else message.id
            string = tuple(enclosed(form) for form in forms)
            catalog.add(
                message.id, string[0] if isinstance(message.id, str) else string, context=message.context
            )
    return catalog


def _forget() -> None:
    for kept in (languages.languages, languages.catalogue, templating._environment):
        kept.cache_clear()
