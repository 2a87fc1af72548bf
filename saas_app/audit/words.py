"""The values of events in words, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from saas_app.text.translation import Sentence, _, number, pgettext
from saas_app.web.times import exact_utc

_ABSENT: Final = object()

_FIELDS: Final[Mapping[str, Sentence]] = {
    "address": _("Address"),
    "agent": _("Agent"),
    "agent_id": _("Agent ID"),
    "assignee": _("Assignee"),
    "allowed": _("Allowed"),
    "claims": _("Claims"),
    "client_id": _("Client ID"),
    "color": _("Color"),
    "dark_logo": _("Logo for dark pages"),
    "description": _("Description"),
    "domain": _("Email domain"),
    "domains": _("Email domains"),
    "due_on": _("Due on"),
    "ends_at": _("Ends"),
    "expires_at": _("Expires"),
    "group_claim": _("Claim with the groups"),
    "group_roles": _("Roles of groups"),
    "held_until": _("Held until"),
    "invitation": _("Invitation"),
    "is_mfa_required": _("Second factor required"),
    "issuer": _("Issuer"),
    "joining_roles": _("Default roles"),
    "joins": _("People join by signing in"),
    "logo": _("Logo"),
    "members": _("Members"),
    "name": _("Name"),
    "project": _("Project"),
    "proof": _("Proof"),
    "provider": _("Identity provider"),
    "reason": _("Reason"),
    "recovery": _("Recovery admin"),
    "role": _("Role"),
    "role_names": _("Roles"),
    "roles": _("Roles"),
    "scopes": _("Scopes"),
    "secret_expires_at": _("Secret expires"),
    "state": _("State"),
    "status": _("Status"),
    "support_allowed": _("Support access allowed"),
    "support_until": _("Support access ends"),
    "support_writes": _("Support can change projects and tasks"),
    "tasks": _("Tasks"),
    "ticket": _("Ticket"),
    "title": _("Title"),
    "verified": _("Verified"),
}
"""The fields of events that have a label of their own. Others are shown by their name."""

_TARGETS: Final[Mapping[str, Sentence]] = {
    "api client": _("API client"),
    "audit": _("audit log"),
    "domain": pgettext("target", "email domain"),
    "invitation": pgettext("target", "invitation"),
    "member": pgettext("target", "member"),
    "organization": pgettext("target", "organization"),
    "person": _("person"),
    "project": pgettext("target", "project"),
    "request": pgettext("target", "request"),
    "single sign-on": _("single sign-on"),
    "route": pgettext("target", "request"),
    "task": pgettext("target", "task"),
}

_STATES: Final[Mapping[str, Sentence]] = {
    "accepted": pgettext("state", "accepted"),
    "active": pgettext("state", "active"),
    "archived": pgettext("state", "archived"),
    "doing": pgettext("state", "doing"),
    "done": pgettext("state", "done"),
    "pending": pgettext("state", "pending"),
    "revoked": pgettext("state", "revoked"),
    "todo": pgettext("state", "to do"),
}
_REASONS: Final[Mapping[str, Sentence]] = {
    str(reason): reason
    for reason in (
        _("it is not known how they signed in"),
        _("the connection was removed"),
        _("single sign-on is off"),
        _("another provider"),
        _("they signed in before single sign-on was last turned on"),
        _("the identity is not the account’s"),
        _("no verified address"),
        _("the address is outside the domains"),
        _("the account’s address is outside the domains"),
        _("the account is suspended"),
        _("the account does not exist"),
        _("the address is not that of the person who tested"),
        _("the connection was changed during the sign-in"),
        _("the provider did not accept the client secret"),
        _("the provider did not accept the request"),
        _("the provider cannot be reached"),
        _("the provider’s metadata cannot be used"),
        _("the provider’s signatures cannot be verified"),
        _("the provider’s answers cannot be verified"),
    )
}
"""Why sign-ins through single sign-on are rejected or fail, by what is stored. People type other reasons."""

_WITH_STATES: Final = frozenset({"state", "status"})
_NO_END: Final = _("No end")


def field_label(name: str) -> str:
    """Return the label of a field."""
    plain = name.replace("_", " ")
    return _FIELDS[name].said if name in _FIELDS else plain[:1].upper() + plain[1:]


def target_label(target_type: str) -> str:
    """Return the kind of a target in words."""
    return _TARGETS.get(target_type, target_type)


def side_of(side: Mapping[str, Any], name: str) -> str | None:
    """Return a field of one side of a change in words, or None if that side has no such field."""
    value = side.get(name, _ABSENT)
    if value is _ABSENT:
        return None
    if name in _WITH_STATES and value in _STATES:
        return _STATES[value].said
    if name == "reason" and (reason := find_reason(value)) is not None:
        return reason.said
    if name in ("ends_at", "held_until"):
        return _NO_END.said if value is None else _exactly(value)
    return in_words(value)


def find_reason(value: Any) -> Sentence | None:
    """Return why a sign-in was rejected or failed, in words. None for a reason that somebody typed."""
    return _REASONS.get(value) if isinstance(value, str) else None


def _exactly(value: Any) -> str:
    """Return a moment as the page shows the time of the event, or a value that is none as it is."""
    try:
        return exact_utc(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return in_words(value)


def in_words(value: Any) -> str:
    """Return a value in words: lists with commas, and what is empty by name."""
    if isinstance(value, bool):
        return _("yes").said if value else _("no").said
    if isinstance(value, int):
        return number(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value)) or _("none").said
    if isinstance(value, dict):
        return ", ".join(f"{name}: {in_words(inner)}" for name, inner in value.items()) or _("none").said
    return _("empty").said if value in (None, "") else str(value)
