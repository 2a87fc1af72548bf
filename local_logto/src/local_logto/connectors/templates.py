"""Texts of messages: variables filled in as Logto 1.42 does, and which text is meant for what.

One difference is wanted: in HTML the values are escaped here, so that the name of an organization or of who
invites cannot become markup. Logto puts them in raw. Pure; stored templates are in ``custom_templates``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from markupsafe import Markup, escape

from local_logto.errors import RequestError

USAGES: Final = (
    "SignIn",
    "Register",
    "ForgotPassword",
    "OrganizationInvitation",
    "Generic",
    "UserPermissionValidation",
    "BindNewIdentifier",
    "MfaVerification",
    "BindMfa",
)
GENERIC: Final = "Generic"

_VARIABLE: Final = re.compile(r"{{\s*([0-9A-Za-z_.]+)\s*}}")

Template = TypeVar("Template")
Payload = Mapping[str, object]


def fill(template: str, payload: Payload) -> str:
    """``{{a.b.c}}`` replaced by what the payload says.

    A variable whose first part the payload lacks stays as it is; one that only lacks a later part is empty.
    """
    return _fill(template, payload, str)


def fill_html(template: str, payload: Payload) -> str:
    """Like ``fill``, the values escaped."""
    return _fill(template, payload, escape)


def text_of_html(content: str) -> str:
    """What a reader sees of an HTML text, without its markup."""
    return Markup(content).striptags()  # noqa: S704 - its tags are taken out, nothing is rendered


def choose(templates: Mapping[str, Template], usage: str) -> Template:
    """The text for this usage, else the generic one; raises 400 ``connector.template_not_found``."""
    found = templates.get(usage, templates.get(GENERIC))
    if found is None:
        raise template_not_found()
    return found


def by_usage(templates: Sequence[Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """A configured list of ``{usageType, …}``; of two for the same usage the first counts."""
    return {template["usageType"]: template for template in reversed(templates)}


def template_not_found() -> RequestError:
    sentence = "Unable to find correct template in connector config."
    return RequestError(400, "connector.template_not_found", sentence)


def _fill(template: str, payload: Payload, written: Callable[[str], str]) -> str:
    def value_of(found: re.Match[str]) -> str:
        path = found[1].split(".")
        return str(written(_as_text(_look_up(payload, path)))) if path[0] in payload else found[0]

    return _VARIABLE.sub(value_of, template)


def _look_up(payload: Payload, path: Sequence[str]) -> object:
    current: object = payload
    for part in path:
        if isinstance(current, Mapping):
            current = current.get(part)
        elif isinstance(current, list) and part.isdecimal() and int(part) < len(current):
            current = current[int(part)]
        else:
            return None
    return current


def _as_text(value: object) -> str:
    """A JSON value as JavaScript writes it into a text, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping):
        return "[object Object]"
    if isinstance(value, list):
        return ",".join(_as_text(item) for item in value)
    return str(value)
