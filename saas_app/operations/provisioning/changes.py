"""A plan's words: what a change is about, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a change is about, in the order in which changes are made."""

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
    """What becomes of a thing that is declared."""

    HOLDS = "holds"
    CREATE = "create"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Change:
    """One declared thing, what is to be done about it, and why. Never a value that may be secret."""

    kind: Kind
    name: str
    action: Action
    detail: str = ""


def drift(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes among a plan: what does not hold."""
    return tuple(change for change in changes if change.action is not Action.HOLDS)
