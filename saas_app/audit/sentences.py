"""Events as sentences: *Alice promoted Carol from viewer to editor*.

An action has one or more messages, the most telling first. The first one is used whose placeholders all have
a value in the event. Some placeholders have one in certain events only: ``lower`` and ``higher`` if somebody
was promoted, ``done`` if a task was completed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from markupsafe import Markup

from saas_app.audit.recorder import Action
from saas_app.audit.values import EventRow, Outcome
from saas_app.audit.words import find_reason
from saas_app.rbac.assignment import preview
from saas_app.rbac.names import listed
from saas_app.rbac.permissions import in_role_order
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
_NO_ROLE: Final = _("no role")
_MARKS: Final = {
    "actor": "<b>{}</b>",
    "permission": "<code>{}</code>",
    **dict.fromkeys(("lower", "higher", "old_roles", "new_roles", "action", "reason"), "{}"),
}

MESSAGES: Final[Mapping[Action, tuple[Sentence, ...]]] = {
    Action.ORGANIZATION_CREATE: (_("%(actor)s created the organization %(target)s"),),
    Action.ORGANIZATION_UPDATE: (
        _("%(actor)s renamed the organization from %(old_name)s to %(new_name)s"),
        _("%(actor)s changed the settings of %(target)s"),
    ),
    Action.ORGANIZATION_REBRAND: (_("%(actor)s changed the branding of %(target)s"),),
    Action.ORGANIZATION_DELETE: (_("%(actor)s deleted the organization %(target)s"),),
    Action.ORGANIZATION_REMOVE_DATA: (_("%(actor)s removed the data of %(target)s"),),
    Action.ORGANIZATION_EXPORT: (_("%(actor)s exported the organization %(target)s"),),
    Action.ORGANIZATION_IMPORT: (_("%(actor)s imported the organization %(target)s"),),
    Action.PERSON_ERASE: (_("%(actor)s erased a person, who is now %(target)s"),),
    Action.RECONCILE: (_("%(actor)s compared the members of %(target)s with Logto"),),
    Action.DOMAIN_CLAIM: (_("%(actor)s added the email domain %(target)s"),),
    Action.DOMAIN_VERIFY: (_("%(actor)s verified the email domain %(target)s"),),
    Action.DOMAIN_LAPSE: (_("%(actor)s found that the email domain %(target)s is no longer verified"),),
    Action.DOMAIN_REMOVE: (_("%(actor)s removed the email domain %(target)s"),),
    Action.MEMBER_ADD: (
        _("%(actor)s added %(target)s as %(new_roles)s"),
        _("%(actor)s added %(target)s to the organization"),
    ),
    Action.MEMBER_JOIN: (
        _("%(actor)s joined through single sign-on with %(provider)s"),
        _("%(actor)s joined with an email address at %(domain)s"),
        _("%(actor)s joined the organization"),
    ),
    Action.MEMBER_CHANGE_ROLES: (
        _("%(actor)s promoted %(target)s from %(lower)s to %(higher)s"),
        _("%(actor)s changed the role of %(target)s from %(old_roles)s to %(new_roles)s"),
        _("%(actor)s changed the roles of %(target)s"),
    ),
    Action.MEMBER_END_ROLE: (
        _("%(actor)s ended the %(role)s role of %(target)s"),
        _("%(actor)s ended a role of %(target)s"),
    ),
    Action.MEMBER_SET_ROLE_END: (
        _("%(actor)s changed when the %(role)s role of %(target)s ends"),
        _("%(actor)s changed when a role of %(target)s ends"),
    ),
    Action.MEMBER_REMOVE: (_("%(actor)s removed %(target)s from the organization"),),
    Action.MEMBER_LEAVE: (_("%(actor)s left the organization"),),
    Action.ACCESS_REQUEST: (
        _("%(actor)s asked to keep the %(kept_role)s role longer"),
        _("%(actor)s asked for the %(role)s role"),
        _("%(actor)s asked for a role"),
    ),
    Action.ACCESS_APPROVE: (
        _("%(actor)s approved the request of %(target)s for the %(role)s role"),
        _("%(actor)s approved a request of %(target)s"),
    ),
    Action.ACCESS_DECLINE: (
        _("%(actor)s declined the request of %(target)s for the %(role)s role"),
        _("%(actor)s declined a request of %(target)s"),
    ),
    Action.ACCESS_WITHDRAW: (
        _("%(actor)s withdrew the request for the %(role)s role"),
        _("%(actor)s withdrew a request for a role"),
    ),
    Action.SUPPORT_ALLOW: (_("%(actor)s allowed support access"),),
    Action.SUPPORT_FORBID: (_("%(actor)s turned off support access"),),
    Action.SUPPORT_START: (
        _("%(actor)s started acting for %(target)s (ticket %(ticket)s)"),
        _("%(actor)s started acting for %(target)s"),
    ),
    Action.SUPPORT_END: (_("%(actor)s ended the support access for %(target)s"),),
    Action.SSO_CREATE: (_("%(actor)s began to set up single sign-on"),),
    Action.SSO_CONFIGURE: (_("%(actor)s changed the identity provider to %(target)s"),),
    Action.SSO_TEST: (_("%(actor)s tested single sign-on with %(target)s"),),
    Action.SSO_TURN_ON: (_("%(actor)s turned on single sign-on with %(target)s"),),
    Action.SSO_TURN_OFF: (_("%(actor)s turned off single sign-on with %(target)s"),),
    Action.SSO_REQUIRE: (_("%(actor)s made single sign-on with %(target)s a requirement"),),
    Action.SSO_STOP_REQUIRING: (_("%(actor)s made single sign-on with %(target)s optional"),),
    Action.SSO_CHANGE: (_("%(actor)s changed the settings of single sign-on with %(target)s"),),
    Action.SSO_REMOVE: (_("%(actor)s removed single sign-on with %(target)s"),),
    Action.SSO_REFUSE: (
        _("%(actor)s rejected a sign-in through single sign-on with %(target)s: %(reason)s"),
        _("%(actor)s rejected a sign-in through single sign-on with %(target)s"),
    ),
    Action.SSO_FAIL: (
        _("%(actor)s could not sign people in with %(target)s: %(reason)s"),
        _("%(actor)s could not sign people in with %(target)s"),
    ),
    Action.SSO_MISS_ROLES: (_("%(actor)s could not give %(target)s the roles of their groups"),),
    Action.INVITATION_CREATE: (
        _("%(actor)s invited %(target)s as %(new_roles)s"),
        _("%(actor)s invited %(target)s"),
    ),
    Action.INVITATION_RESEND: (_("%(actor)s sent the invitation for %(target)s again"),),
    Action.INVITATION_RENEW_LINK: (_("%(actor)s sent a new invitation link to %(target)s on request"),),
    Action.INVITATION_REVOKE: (_("%(actor)s revoked the invitation for %(target)s"),),
    Action.INVITATION_ACCEPT: (
        _("%(actor)s accepted the invitation for %(target)s as %(new_roles)s"),
        _("%(actor)s accepted the invitation for %(target)s"),
    ),
    Action.API_CLIENT_CREATE: (
        _("%(actor)s created the API client %(target)s as %(new_roles)s"),
        _("%(actor)s created the API client %(target)s"),
    ),
    Action.API_CLIENT_ROTATE: (_("%(actor)s rotated the secret of the API client %(target)s"),),
    Action.API_CLIENT_REVOKE: (_("%(actor)s revoked the API client %(target)s"),),
    Action.API_CLIENT_REMOVE: (_("%(actor)s removed the API client %(target)s"),),
    Action.PROJECT_CREATE: (_("%(actor)s created the project %(target)s"),),
    Action.PROJECT_UPDATE: (
        _("%(actor)s renamed the project %(old_name)s to %(new_name)s"),
        _("%(actor)s changed the project %(target)s"),
    ),
    Action.PROJECT_ARCHIVE: (_("%(actor)s archived the project %(target)s"),),
    Action.PROJECT_RESTORE: (_("%(actor)s unarchived the project %(target)s"),),
    Action.PROJECT_DELETE: (_("%(actor)s deleted the project %(target)s"),),
    Action.PROJECT_EXPORT: (_("%(actor)s exported all projects"),),
    Action.TASK_CREATE: (
        _("%(actor)s added the task %(target)s to %(project)s"),
        _("%(actor)s added the task %(target)s"),
    ),
    Action.TASK_UPDATE: (
        _("%(actor)s completed the task %(done)s"),
        _("%(actor)s reopened the task %(reopened)s"),
        _("%(actor)s changed the task %(target)s"),
    ),
    Action.TASK_DELETE: (
        _("%(actor)s deleted the task %(target)s from %(project)s"),
        _("%(actor)s deleted the task %(target)s"),
    ),
    Action.AUDIT_EXPORT: (_("%(actor)s exported the audit log"),),
    Action.ACCESS_DENY: (
        _("%(actor)s was denied: %(permission)s"),
        _("%(actor)s was denied: %(target)s"),
    ),
}

_UNKNOWN: Final = (_("%(actor)s did %(action)s: %(target)s"),)
"""For events of another version."""


def sentence_of(row: EventRow) -> Sentence:
    """Return what happened in an event, as plain text with its names isolated."""
    message, values = _chosen(row)
    return Sentence(message, values)


def sentence_with_marks(row: EventRow) -> Markup:
    """Return what happened in an event, with the actor in ``<b>`` and other names in ``<em>``."""
    message, values = _chosen(row)
    marked = {
        name: Markup(_MARKS.get(name, "<em>{}</em>")).format(value)  # noqa: S704
        for name, value in values.items()
    }
    return Markup(Sentence(message).shown) % marked  # noqa: S704 - catalogues are ours


def _chosen(row: EventRow) -> tuple[str, dict[str, Any]]:
    values = dict(_values(row))
    for message in _messages(row):
        wanted = _placeholders(message)
        if wanted <= values.keys():
            return str(message), {name: values[name] for name in wanted}
    raise AssertionError(f"no message fits {row.action}")  # the last one needs only an actor and a target


def _messages(row: EventRow) -> tuple[Sentence, ...]:
    action = Action.ACCESS_DENY.value if row.outcome is Outcome.DENIED else row.action
    return _BY_VALUE.get(action, _UNKNOWN)


_BY_VALUE: Final = {action.value: messages for action, messages in MESSAGES.items()}


@cache
def _placeholders(message: str) -> frozenset[str]:
    return frozenset(_PLACEHOLDER.findall(message))


def _values(row: EventRow) -> Iterator[tuple[str, Any]]:
    """Yield the values that an event has for placeholders."""
    yield "actor", row.by
    yield "target", isolated(row.target_name)
    yield "action", row.action
    if row.lacked_permission:
        yield "permission", str(row.lacked_permission)
    before, after = row.before or {}, row.after or {}
    both = {**before, **after}
    for name in ("project", "domain", "provider", "role", "ticket"):
        if isinstance(both.get(name), str):
            yield name, isolated(both[name])
    if isinstance(after.get("held_until"), str) and isinstance(after.get("role"), str):
        yield "kept_role", isolated(after["role"])
    if (reason := find_reason(after.get("reason"))) is not None:
        yield "reason", reason
    if "name" in before and "name" in after:
        yield "old_name", isolated(str(before["name"]))
        yield "new_name", isolated(str(after["name"]))
    yield from _values_of_roles(before, after)
    if after.get("status") == "done":
        yield "done", isolated(row.target_name)
    if before.get("status") == "done":
        yield "reopened", isolated(row.target_name)


def _values_of_roles(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    old, new = _roles(before), _roles(after)
    if new is not None:
        yield "new_roles", _named(new)
    if old is None or new is None:
        return
    yield "old_roles", _named(old)
    change = preview(old, new)
    if change.gained and not change.lost:
        yield "lower", _named(old)
        yield "higher", _named(new)


def _roles(side: Mapping[str, Any]) -> frozenset[str] | None:
    names = side.get("roles")
    return frozenset(map(str, names)) if isinstance(names, list | tuple) else None


def _named(names: frozenset[str]) -> str:
    return listed([isolated(name) for name in in_role_order(names)]) if names else _NO_ROLE
