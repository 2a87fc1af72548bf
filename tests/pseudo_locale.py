"""A language in which every text of the catalogues stands between ⟦ and ⟧, to find texts that are in none.

Only a text itself is enclosed, and not the values in it, so that a value that should have been a text of the
catalogues is found as well. The language is called Esperanto, because Babel knows how to write its dates.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog

from tests.catalogues import catalogues, pseudo_catalogue
from tools.update_translations import extract

TAG = "eo"

_PLACEHOLDER = re.compile(r"(%\(\w+\)s|\n)")
_ENCLOSED = re.compile(r"⟦[^⟦⟧]*⟧")


def pseudo_locale(folder: Path) -> AbstractContextManager[None]:
    """Make the language known inside the block."""
    return catalogues(folder, _catalogue())


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
    return pseudo_catalogue(TAG, extract(), enclosed)
