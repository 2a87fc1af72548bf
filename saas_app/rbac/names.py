"""Names of roles in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from saas_app.text.translation import _


def listed(names: Iterable[str]) -> str:
    """Return one or more names as they stand in a sentence: *admin and editor*."""
    return reduce(lambda one, other: _("%(one)s and %(other)s", one=one, other=other), names)
