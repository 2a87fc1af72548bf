"""The “break it” lessons, in their order. docs/practice-service.md tells how to add one."""

from __future__ import annotations

from typing import Final

from saas_app.lab.practice.declaration import Break
from saas_app.lab.practice.flaws import (
    audience_unchecked,
    cache_without_organization,
    guessed_id,
    role_from_body,
    role_name_checked,
    tenant_filter_forgotten,
)

BREAKS: Final[tuple[Break, ...]] = (
    guessed_id.BREAK,
    role_from_body.BREAK,
    audience_unchecked.BREAK,
    tenant_filter_forgotten.BREAK,
    role_name_checked.BREAK,
    cache_without_organization.BREAK,
)
"""All lessons, in order."""


def find_break(slug: str) -> Break | None:
    """Return the lesson on a flaw, or None."""
    return next((one for one in BREAKS if one.slug == slug), None)


def break_after(one: Break) -> Break | None:
    """Return the lesson that follows, or None after the last."""
    following = BREAKS.index(one) + 1
    return BREAKS[following] if following < len(BREAKS) else None
