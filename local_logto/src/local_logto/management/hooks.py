"""``/hooks``: registering and testing webhooks. ``local_logto.webhooks`` sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.management import entities
from local_logto.management.families import Entities
from local_logto.management.guard import read_body
from local_logto.management.rows import get_row, insert_row, to_columns, update_row
from local_logto.responses import json_response, no_content
from local_logto.store import new_id, new_secret, now_ms
from local_logto.values import Choice, Flag, ListOf, MapOf, Number, Shape, Text
from local_logto.webhooks import Hook, deliver, hooks, iso_moment

EVENTS: Final = (
    *("PostRegister", "PostSignIn", "PostSignInAdaptiveMfaTriggered", "PostResetPassword"),
    *("User.Created", "User.Deleted", "User.Data.Updated", "User.SuspensionStatus.Updated"),
    *("Role.Created", "Role.Deleted", "Role.Data.Updated", "Role.Scopes.Updated"),
    *("Scope.Created", "Scope.Deleted", "Scope.Data.Updated"),
    *(
        "Organization.Created",
        "Organization.Deleted",
        "Organization.Data.Updated",
        "Organization.Membership.Updated",
    ),
    *(
        "OrganizationRole.Created",
        "OrganizationRole.Deleted",
        "OrganizationRole.Data.Updated",
        "OrganizationRole.Scopes.Updated",
    ),
    *("OrganizationScope.Created", "OrganizationScope.Deleted", "OrganizationScope.Data.Updated"),
    *("Identifier.Lockout", "Message.RateLimited", "Grant.LimitExceeded"),
)

_EVENTS: Final = ListOf(Choice(EVENTS), min=1)
# Logto accepts any text as a URL. Sending to it fails.
_CONFIG: Final = Shape({"url": Text()}, {"headers": MapOf(Text()), "retries": Number(min=0, max=3)})
_HOOK: Final = Shape(
    {"config": _CONFIG},
    {"name": Text(max=256), "event": Choice(EVENTS), "events": _EVENTS, "enabled": Flag()},
)
_TEST: Final = Shape({"events": _EVENTS, "config": _CONFIG})

blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")


def _columns(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body's members as column values, without duplicate events."""
    values = to_columns(body)
    if "events" in values:
        values["events"] = list(dict.fromkeys(values["events"]))
    return values


HOOKS: Final = Entities(
    hooks,
    entities.hook,
    _HOOK,
    columns=_columns,
    order=(hooks.c.created_at.desc(), hooks.c.id),
    is_paging_optional=True,
)
HOOKS.serve(blueprint, "list", "read", "change", "delete")


@blueprint.post("")
async def create_hook() -> Response:
    values = {"name": "", "enabled": True, "events": [], **_columns(await read_body(_HOOK))}
    if not values["events"] and "event" not in values:
        raise RequestError(400, "hook.missing_events", "You need to provide at least one event.")
    values |= {"id": new_id(), "signing_key": new_secret(), "created_at": now_ms()}
    with current_store().begin() as connection:
        row = insert_row(connection, hooks, values)
    return json_response(entities.hook(row), 201)


@blueprint.patch("/<hook_id>/signing-key")
async def rotate_signing_key(hook_id: str) -> Response:
    """Sign with a new key from now on. The old one stops working at once."""
    values = {"signing_key": new_secret()}
    with current_store().begin() as connection:
        row = update_row(connection, hooks, values, hooks.c.id == hook_id)
    return json_response(entities.hook(row))


@blueprint.post("/<hook_id>/test")
async def send_test_payload(hook_id: str) -> Response:
    """Send a sample body for each event to the given URL, signed with the hook's key."""
    body = await read_body(_TEST)
    with current_store().begin() as connection:
        row = get_row(connection, hooks, hook_id)
    config = body["config"]
    hook = Hook(hook_id, config["url"], config.get("headers") or {}, row["signing_key"])
    for event in body["events"]:
        await _try(hook, event)
    return no_content()


async def _try(hook: Hook, event: str) -> None:
    sample = {
        "event": event,
        "hookId": hook.id,
        "createdAt": iso_moment(now_ms()),
        "userAgent": "fake-user-agent",
        "path": "/fake-path/:id",
        "method": "POST",
        "status": 200,
        "params": {"id": "fake-id"},
        "data": {"result": "success"},
    }
    try:
        status, text = await deliver(hook, sample)
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        raise RequestError(
            422, "hook.send_test_payload_failed", "Failed to send the test payload."
        ) from error
    if not 200 <= status < 300:
        raise RequestError(
            422,
            "hook.endpoint_responded_with_error",
            "The endpoint responded with an error.",
            data={"responseStatus": status, "responseBody": text},
        )
