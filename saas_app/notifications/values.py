"""The frozen values that the parts of this feature hand to each other."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from saas_app.models import NotificationKind as NotificationKind
from saas_app.rbac.permissions import in_role_order
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

RETENTION: Final = timedelta(days=90)
"""How long people can read a notification."""


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """A notification in a list. ``has_ended``: the person's membership ended after it was written."""

    id: uuid.UUID
    organization_id: str
    organization_name: str
    kind: NotificationKind
    details: Mapping[str, Any]
    created_at: datetime
    read_at: datetime | None
    has_ended: bool

    @property
    def sentence(self) -> Sentence:
        """What happened, for the person whom it happened to."""
        return _SENTENCES[self.kind](self.organization_name, self.details)

    @property
    def invitation_id(self) -> str | None:
        """The invitation that it tells about, if it tells about one."""
        found = self.details.get("invitation")
        return found if isinstance(found, str) else None

    @property
    def leads_to_organization(self) -> bool:
        """Whether it tells a member about their organization, as far as is known."""
        return self.kind in (NotificationKind.ROLES_CHANGED, NotificationKind.JOINED) and not self.has_ended


def _roles(details: Mapping[str, Any]) -> str:
    return ", ".join(in_role_order(map(str, details.get("roles") or [])))


def _invited(organization: str, details: Mapping[str, Any]) -> Sentence:
    roles = _roles(details)
    if not roles:
        return _("You are invited to %(organization)s.", organization=isolated(organization))
    return _(
        "You are invited to %(organization)s as %(roles)s.", organization=isolated(organization), roles=roles
    )


def _roles_changed(organization: str, details: Mapping[str, Any]) -> Sentence:
    roles = _roles(details)
    if not roles:
        return _(
            "Your roles in %(organization)s have changed. You now have no role.",
            organization=isolated(organization),
        )
    return _(
        "Your roles in %(organization)s have changed to %(roles)s.",
        organization=isolated(organization),
        roles=roles,
    )


def _removed(organization: str, _details: Mapping[str, Any]) -> Sentence:
    return _("You were removed from %(organization)s.", organization=isolated(organization))


def _joined(organization: str, details: Mapping[str, Any]) -> Sentence:
    return _(
        "You joined %(organization)s, because your email address is at %(domain)s.",
        organization=isolated(organization),
        domain=isolated(str(details.get("domain", ""))),
    )


_SENTENCES: Final[Mapping[NotificationKind, Callable[[str, Mapping[str, Any]], Sentence]]] = {
    NotificationKind.INVITED: _invited,
    NotificationKind.ROLES_CHANGED: _roles_changed,
    NotificationKind.REMOVED: _removed,
    NotificationKind.JOINED: _joined,
}
