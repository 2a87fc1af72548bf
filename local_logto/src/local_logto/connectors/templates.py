"""Message templates: filling in variables as Logto 1.42 does, and choosing a template by usage.

One difference is deliberate: values in HTML are escaped here, so that the name of an organization or inviter
can't become markup. Logto inserts them unescaped. Pure; ``custom_templates`` reads stored templates.
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
    """Replace ``{{a.b.c}}`` with values from the payload.

    A variable whose first part is not in the payload stays as it is. One that lacks a later part becomes
    empty.
    """
    return _fill(template, payload, str)


def fill_html(template: str, payload: Payload) -> str:
    """Replace ``{{a.b.c}}`` with values from the payload, escaped for HTML."""
    return _fill(template, payload, escape)


def text_of_html(content: str) -> str:
    """Return the text of an HTML message without its markup."""
    return Markup(content).striptags()  # noqa: S704 - tags are removed, nothing is rendered


def choose(templates: Mapping[str, Template], usage: str) -> Template:
    """Return the template for this usage, or the generic one. Raises 400 ``connector.template_not_found``."""
    found = templates.get(usage, templates.get(GENERIC))
    if found is None:
        raise template_not_found()
    return found


def by_usage(templates: Sequence[Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Index a configured list of ``{usageType, …}`` by usage. The first of two for the same usage wins."""
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
    """Convert a JSON value to text as JavaScript does, except that null becomes empty."""
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
