"""The frozen values that the parts of this feature hand to each other."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict
from urllib.parse import quote

from saas_app.models import NotificationKind as NotificationKind
from saas_app.rbac.permissions import in_role_order
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

RETENTION: Final = timedelta(days=90)
"""How long people can read a notification."""

EMAIL_PATIENCE: Final = timedelta(days=2)
"""How long sending an email is tried. Later, it would be no news."""

_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Lead:
    """A page that shows more than a notification tells. ``path`` has no host, ``label`` is for a button."""

    path: str
    label: Sentence


_INVITATION: Final = Lead("/invitations/{invitation}", _("View invitation"))
_ACCESS: Final = Lead("/o/{organization}/access", _("View my access"))
_REQUEST: Final = Lead("/o/{organization}/access-requests/{request}", _("View request"))
_SUPPORT: Final = Lead("/o/{organization}/support-access", _("View support access"))
_OVERVIEW: Final = Lead("/o/{organization}/", _("View overview"))
_LEADS: Final[Mapping[NotificationKind, Lead]] = {
    NotificationKind.INVITED: _INVITATION,
    NotificationKind.ROLES_CHANGED: _ACCESS,
    NotificationKind.ROLE_ENDED: _ACCESS,
    NotificationKind.JOINED: _ACCESS,
    NotificationKind.ACCESS_REQUESTED: _REQUEST,
    NotificationKind.ACCESS_APPROVED: _REQUEST,
    NotificationKind.ACCESS_DECLINED: _REQUEST,
    NotificationKind.SUPPORT_STARTED: _SUPPORT,
    NotificationKind.SUPPORT_ENDED: _SUPPORT,
}


_FOR_OUTSIDERS: Final = frozenset({NotificationKind.INVITED, NotificationKind.REMOVED})


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """A notification in a list. ``has_ended``: the person's membership ended after it was written.

    ``provider`` is the identity provider with which its reader must sign in to know more than that there is
    news, or None.
    """

    id: uuid.UUID
    organization_id: str
    organization_name: str
    kind: NotificationKind
    details: Mapping[str, Any]
    created_at: datetime
    read_at: datetime | None
    has_ended: bool
    provider: str | None = None

    @property
    def is_for_members(self) -> bool:
        """Whether it tells something of an organization that the person belongs to."""
        return not self.has_ended and self.kind not in _FOR_OUTSIDERS

    @property
    def sentence(self) -> Sentence:
        """What happened, for the person whom it happened to."""
        if self.provider is not None:
            return _(
                "There is news in %(organization)s. Sign in with %(provider)s to read it.",
                organization=isolated(self.organization_name),
                provider=isolated(self.provider),
            )
        return _SENTENCES[self.kind](self.organization_name, self.details)

    @property
    def lead(self) -> Lead | None:
        """The page that shows more, or None: it tells nothing more, or the person is no longer a member."""
        found = _OVERVIEW if self.details.get("is_own") else _LEADS.get(self.kind)
        if found is None or (self.has_ended and self.kind not in _FOR_OUTSIDERS):
            return None
        ids = {"organization": self.organization_id, **self.details}
        quoted = {
            name: quote(str(ids.get(name)), safe="") for name in ("organization", "invitation", "request")
        }
        return Lead(found.path.format_map(quoted), found.label)

    @property
    def ends_at(self) -> datetime | None:
        """When the roles end that it tells about, if they do."""
        found = self.details.get("ends_at") if self.provider is None else None
        return datetime.fromisoformat(found) if isinstance(found, str) else None

    @property
    def ending(self) -> list[str]:
        """The names of the roles that end at :attr:`ends_at`, in the registry's order."""
        return in_role_order(map(str, self.details.get("ending") or [self.details.get("role", "")]))

    @property
    def subject(self) -> Sentence:
        """What happened, in the words of an email's subject."""
        return _SUBJECTS[self.kind](self.organization_name)

    @property
    def is_news(self) -> bool:
        """Whether it is worth an email: the person can still do something about it, or lost their access."""
        if self.kind is NotificationKind.INVITED:
            return False  # Logto emails it itself
        return self.kind is NotificationKind.REMOVED or self.lead is not None


@dataclass(frozen=True, slots=True)
class DueEmail:
    """A notification whose email is due. ``language`` is None if the person wants no emails."""

    row: NotificationRow
    user_id: str
    due_at: datetime
    attempts: int
    language: str | None

    def is_wanted(self, now: datetime) -> bool:
        """Return whether there is a reason to send it: somebody wants it, and it is still news to them."""
        is_open = self.row.read_at is None and self.row.is_news
        return self.language is not None and is_open and not self.is_old(now)

    def is_old(self, now: datetime) -> bool:
        """Return whether it is given up, because it could not be sent for too long."""
        return now - self.row.created_at >= EMAIL_PATIENCE

    @property
    def pause(self) -> timedelta:
        """How long to wait before another attempt, if this one fails. The pauses grow."""
        return min(_FIRST_PAUSE * (1 << min(self.attempts, 16)), _LONGEST_PAUSE)


class SupportDetails(TypedDict):
    """What notifications about a support access tell, besides whether it was for the reader (``is_own``)."""

    agent: str
    member: str
    member_id: str
    ticket: str


def _support_started(organization: str, details: Mapping[str, Any]) -> Sentence:
    if details.get("is_own"):
        told = _("%(agent)s from support started acting for you in %(organization)s (ticket %(ticket)s).")
    else:
        told = _(
            "%(agent)s from support started acting for %(member)s in %(organization)s (ticket %(ticket)s)."
        )
    return _about_support(told, organization, details)


def _support_ended(organization: str, details: Mapping[str, Any]) -> Sentence:
    if details.get("is_own"):
        told = _(
            "%(agent)s from support is no longer acting for you in %(organization)s (ticket %(ticket)s)."
        )
    else:
        told = _(
            "%(agent)s from support is no longer acting for %(member)s in %(organization)s "
            "(ticket %(ticket)s)."
        )
    return _about_support(told, organization, details)


def _about_support(told: Sentence, organization: str, details: Mapping[str, Any]) -> Sentence:
    values = {name: isolated(str(details.get(name, ""))) for name in ("agent", "member", "ticket")}
    return Sentence(str(told), {**values, "organization": isolated(organization)})


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
    if "new_end_of" in details:
        return _new_end(organization, details)
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


def _new_end(organization: str, details: Mapping[str, Any]) -> Sentence:
    named = {"role": isolated(str(details["new_end_of"])), "organization": isolated(organization)}
    if details.get("ends_at") is None:
        return _("Your %(role)s role in %(organization)s no longer has an end.", **named)
    return _("The end of your %(role)s role in %(organization)s has changed.", **named)


def _role_ended(organization: str, details: Mapping[str, Any]) -> Sentence:
    return _(
        "Your %(role)s role in %(organization)s has ended.",
        role=isolated(str(details.get("role", ""))),
        organization=isolated(organization),
    )


def _removed(organization: str, _details: Mapping[str, Any]) -> Sentence:
    return _("You were removed from %(organization)s.", organization=isolated(organization))


def _joined(organization: str, details: Mapping[str, Any]) -> Sentence:
    if "provider" in details:
        return _(
            "You joined %(organization)s through single sign-on with %(provider)s.",
            organization=isolated(organization),
            provider=isolated(str(details["provider"])),
        )
    return _(
        "You joined %(organization)s, because your email address is at %(domain)s.",
        organization=isolated(organization),
        domain=isolated(str(details.get("domain", ""))),
    )


def _requested(organization: str, details: Mapping[str, Any]) -> Sentence:
    named = {
        "name": isolated(str(details.get("requester", ""))),
        "role": isolated(str(details.get("role", ""))),
        "organization": isolated(organization),
    }
    if details.get("ends_at") is not None:
        return _("%(name)s asks to keep the %(role)s role in %(organization)s longer.", **named)
    return _("%(name)s asks for the %(role)s role in %(organization)s.", **named)


def _approved(organization: str, details: Mapping[str, Any]) -> Sentence:
    named = {"role": isolated(str(details.get("role", ""))), "organization": isolated(organization)}
    if details.get("is_kept"):
        if details.get("ends_at") is None:
            return _(
                "Your request was approved. Your %(role)s role in %(organization)s no longer has an end.",
                **named,
            )
        return _("Your request was approved. You keep the %(role)s role in %(organization)s longer.", **named)
    return _("Your request was approved. You now have the %(role)s role in %(organization)s.", **named)


def _declined(organization: str, details: Mapping[str, Any]) -> Sentence:
    named = {"role": isolated(str(details.get("role", ""))), "organization": isolated(organization)}
    answer = str(details.get("answer") or "")
    if not answer:
        return _("Your request for the %(role)s role in %(organization)s was declined.", **named)
    return _(
        "Your request for the %(role)s role in %(organization)s was declined: %(answer)s",
        **named,
        answer=isolated(answer),
    )


_SENTENCES: Final[Mapping[NotificationKind, Callable[[str, Mapping[str, Any]], Sentence]]] = {
    NotificationKind.SUPPORT_STARTED: _support_started,
    NotificationKind.SUPPORT_ENDED: _support_ended,
    NotificationKind.INVITED: _invited,
    NotificationKind.ROLES_CHANGED: _roles_changed,
    NotificationKind.ROLE_ENDED: _role_ended,
    NotificationKind.REMOVED: _removed,
    NotificationKind.JOINED: _joined,
    NotificationKind.ACCESS_REQUESTED: _requested,
    NotificationKind.ACCESS_APPROVED: _approved,
    NotificationKind.ACCESS_DECLINED: _declined,
}


def _support_started_in(organization: str) -> Sentence:
    return _("Support access to %(organization)s started", organization=isolated(organization))


def _support_ended_in(organization: str) -> Sentence:
    return _("Support access to %(organization)s ended", organization=isolated(organization))


def _roles_changed_in(organization: str) -> Sentence:
    return _("Your roles in %(organization)s have changed", organization=isolated(organization))


def _role_ended_in(organization: str) -> Sentence:
    return _("A role of yours in %(organization)s has ended", organization=isolated(organization))


def _removed_from(organization: str) -> Sentence:
    return _("You were removed from %(organization)s", organization=isolated(organization))


def _joined_to(organization: str) -> Sentence:
    return _("You joined %(organization)s", organization=isolated(organization))


def _requested_in(organization: str) -> Sentence:
    return _("Somebody asks for access to %(organization)s", organization=isolated(organization))


def _approved_in(organization: str) -> Sentence:
    return _("Your request in %(organization)s was approved", organization=isolated(organization))


def _declined_in(organization: str) -> Sentence:
    return _("Your request in %(organization)s was declined", organization=isolated(organization))


_SUBJECTS: Final[Mapping[NotificationKind, Callable[[str], Sentence]]] = {
    NotificationKind.SUPPORT_STARTED: _support_started_in,
    NotificationKind.SUPPORT_ENDED: _support_ended_in,
    NotificationKind.ROLES_CHANGED: _roles_changed_in,
    NotificationKind.ROLE_ENDED: _role_ended_in,
    NotificationKind.REMOVED: _removed_from,
    NotificationKind.JOINED: _joined_to,
    NotificationKind.ACCESS_REQUESTED: _requested_in,
    NotificationKind.ACCESS_APPROVED: _approved_in,
    NotificationKind.ACCESS_DECLINED: _declined_in,
}
"""Subjects of emails. An invitation has none: Logto emails it itself, with the link that accepts it."""
