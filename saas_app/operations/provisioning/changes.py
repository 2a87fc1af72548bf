"""The entries of a plan: the item of each, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of an entry's item. Changes are made in this order."""

    ORGANIZATION_SCOPE = "organization permission"
    RESOURCE = "API resource"
    RESOURCE_SCOPE = "API-resource scope"
    ROLE = "organization role"
    APPLICATION = "application"
    SECRET = "application secret"  # noqa: S105 - a name
    ID_TOKEN = "ID-token claims"  # noqa: S105 - a name
    WEBHOOK = "webhook"
    CONNECTOR = "connector"
    EMAIL_TEMPLATE = "email template"
    SIGN_IN_EXPERIENCE = "sign-in experience"


class Action(StrEnum):
    """What to do about an entry."""

    KEEP = "keep"
    CREATE = "create"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Change:
    """One declared item, what to do about it, and why. It contains no secrets."""

    kind: Kind
    name: str
    action: Action
    detail: str = ""


def drift(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the entries of a plan that change something."""
    return tuple(change for change in changes if change.action is not Action.KEEP)
