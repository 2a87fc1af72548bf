"""Lists inside sentences, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence

from babel.lists import format_list

from saas_app.web.reader import current_reader


def one_of(values: Sequence[str]) -> str:
    """Return the values as alternatives: *admin or editor*."""
    return str(format_list(values, "or", current_reader().locale))
