"""Globals, filters and variables of all templates. Undefined names are errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from jinja2 import StrictUndefined
from markupsafe import Markup
from quart import Quart, Request, request

from saas_app.rbac.permissions import Permission, Role
from saas_app.text.addresses import shown_address
from saas_app.text.domains import shown_domain
from saas_app.text.visible import BLANK_NAME, initial, isolated, runs_right_to_left, shows_something
from saas_app.web import static_files
from saas_app.web.context import current_principal, current_tenant
from saas_app.web.kept_forms import OwnedForms, form_owner
from saas_app.web.navigation import entry_slug_of, menu_for
from saas_app.web.user_agents import device_name

_UNITS = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3600), ("minute", 60))


def init(app: Quart) -> None:
    """Set up Jinja, and serve the static files that templates link to."""
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    app.jinja_env.add_extension(OwnedForms)
    app.jinja_env.globals.update(
        Permission=Permission,
        Role=Role,
        menu_for=menu_for,
        form_owner=form_owner,
        static_url=static_files.static_url,
    )
    app.jinja_env.filters.update(_filters())
    app.register_blueprint(static_files.blueprint)
    app.context_processor(_variables)


def _filters() -> dict[str, Callable[..., Any]]:
    return {
        "address": shown_address,
        "ago": ago,
        "device": device_name,
        "exact_utc": exact_utc,
        "in_role_order": in_role_order,
        "initial": initial,
        "isolated": isolated,
        "iso_utc": iso_utc,
        "lower_first": lower_first,
        "name": shown_name,
        "pretty_json": pretty_json,
        "short_utc": short_utc,
        "shown_domain": shown_domain,
        "upper_first": upper_first,
        "with_query": with_query,
    }


async def _variables() -> dict[str, Any]:
    """Return the variables of this request: the caller, the tenant and the feature, or None."""
    return {
        "principal": current_principal(),
        "tenant": current_tenant(),
        "feature": entry_slug_of(request.path),
    }


def iso_utc(moment: datetime) -> str:
    """Format a moment for the ``datetime`` attribute of a ``time`` element."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def exact_utc(moment: datetime) -> str:
    """Format the exact time, for a title."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def short_utc(moment: datetime) -> str:
    """Format a moment in UTC, for readers whose browser runs no script."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment was, or how far ahead it is, in the largest unit that fits."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for name, length in _UNITS:
        count = int(abs(seconds) // length)
        if count:
            span = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{span} ago" if seconds > 0 else f"in {span}"
    return "just now" if seconds >= 0 else "in a moment"


def in_role_order(names: Iterable[str]) -> list[str]:
    """Sort role names by the registry's order, and unknown names after them."""
    order = {role.value: position for position, role in enumerate(Role)}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))


def lower_first(text: str) -> str:
    """Return the text with a lower-case first letter, for use inside another sentence."""
    return text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """Return the text with an upper-case first letter. Unlike ``capitalize``, the rest stays as it is."""
    return text[:1].upper() + text[1:]


def shown_name(value: Any) -> Any:
    """Return a name or an address for an element: always visible, and isolated from the text around it.

    Right-to-left words would otherwise reorder the punctuation and numbers beside them. In attributes and
    inside sentences, the filter ``isolated`` does the same.
    """
    if not isinstance(value, str):
        return value
    if not shows_something(value):
        return BLANK_NAME
    return Markup("<bdi>{}</bdi>").format(value) if runs_right_to_left(value) else value


def pretty_json(value: Any) -> str:
    """Format JSON for reading."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def with_query(request: Request, **changes: str | None) -> str:
    """Return the URL of this request with some query parameters changed. None removes a parameter."""
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    pairs += [(name, value) for name, value in changes.items() if value is not None]
    return f"?{urlencode(pairs)}" if pairs else request.path
