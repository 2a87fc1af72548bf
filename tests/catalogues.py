"""Catalogues for tests, in the place of those in ``translations/``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from saas_app.text import languages
from saas_app.web import templating


@contextmanager
def catalogues(folder: Path, *written: Catalog) -> Iterator[None]:
    """Use only these catalogues. Nothing of them is remembered afterwards."""
    for catalog in written:
        with (folder / f"{catalog.locale_identifier}.po").open("wb") as file:
            write_po(file, catalog)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(languages, "TRANSLATIONS", folder)
        _forget()
        yield
    _forget()


def catalogue(
    tag: str, messages: dict[str, str], plurals: dict[tuple[str, str], tuple[str, ...]] | None = None
) -> Catalog:
    """Return a catalogue with these translations."""
    catalog = Catalog(locale=tag)
    for english, text in messages.items():
        catalog.add(english, text)
    for english_forms, forms in (plurals or {}).items():
        catalog.add(english_forms, forms)
    return catalog


def pseudo_catalogue(tag: str, found: Catalog, change: Callable[[str], str]) -> Catalog:
    """Return a catalogue that has each found message, changed in the same way."""
    catalog = Catalog(locale=tag)
    for message in found:
        if isinstance(message.id, str) and message.id:
            catalog.add(message.id, change(message.id), context=message.context)
        elif message.id:
            forms = tuple(change(message.id[1]) for _ in range(catalog.num_plurals))
            catalog.add(message.id, forms, context=message.context)
    return catalog


def _forget() -> None:
    languages.languages.cache_clear()
    languages.catalogue.cache_clear()
    templating.environment_of.cache_clear()
