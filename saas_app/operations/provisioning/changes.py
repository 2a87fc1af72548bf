"""The entries of a plan: the item of each, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from saas_app.text.translation import Sentence, _


class Kind(StrEnum):
    """The kind of an entry's item. Changes are made in this order."""

    ORGANIZATION_SCOPE = _("organization permission")
    RESOURCE = _("API resource")
    RESOURCE_SCOPE = _("API-resource scope")
    ROLE = _("organization role")
    APPLICATION = _("application")
    SECRET = _("application secret")
    ID_TOKEN = _("ID-token claims")
    ACCOUNT_CENTER = _("account center")
    WEBHOOK = _("webhook")
    CONNECTOR = _("connector")
    EMAIL_TEMPLATE = _("email template")
    SIGN_IN_EXPERIENCE = _("sign-in experience")
    SINGLE_SIGN_ON = _("single sign-on")

    SUPPORT_APPLICATION = _("support application")
    SUPPORT_ORGANIZATION = _("support organization")

    @property
    def label(self) -> Sentence:
        """The value, in the reader's language."""
        return Sentence(self.value)


class Action(StrEnum):
    """What to do about an entry."""

    KEEP = _("keep")
    CREATE = _("create")
    UPDATE = _("update")

    @property
    def label(self) -> Sentence:
        """The value, in the reader's language."""
        return Sentence(self.value)


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
