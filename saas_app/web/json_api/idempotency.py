"""``Idempotency-Key``: a creation that is sent twice happens once, and gets the same response twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, Final

from quart import Response, current_app, request

from saas_app.coordination import idempotency
from saas_app.db.shielding import shielded
from saas_app.errors import BadRequest
from saas_app.identity.tenant import Tenant
from saas_app.text.translation import _
from saas_app.web.context import request_body, runtime, transaction
from saas_app.web.json_api.responses import answers

View = Callable[..., Awaitable[Any]]

REPEATABLE: Final = "_api_repeatable"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS: Final = ("Content-Type", "Location", "ETag")


def repeatable(view: View) -> View:
    """Make a creation repeatable: with an ``Idempotency-Key``, its response is stored and repeated.

    The response is 422 if the key was used with another body, and 409 while its first request is running.
    Errors are not stored, so that a corrected request can use the same key.
    """

    @wraps(view)
    async def once(tenant: Tenant, **arguments: Any) -> Any:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return await view(tenant, **arguments)
        if not _KEY.fullmatch(key):
            raise BadRequest(_("Idempotency-Key: 1 to 255 printable ASCII characters without spaces."))
        claimed = await idempotency.claim(
            runtime().work,
            tenant.organization_id,
            subject=tenant.principal.requester,
            key=key,
            request_hash=await _request_hash(),
        )
        if claimed.result is not None:
            return _replayed(claimed.result)
        return await _run(partial(view, tenant, **arguments), tenant.organization_id, claimed)

    setattr(once, REPEATABLE, True)
    return answers(409, 422)(once)


async def _run(view: View, organization_id: str, claimed: idempotency.Claim) -> Any:
    """Run the view while its key is held, and store its response. If it fails, release the key."""
    work = runtime().work
    try:
        async with idempotency.held(work, organization_id, claimed):
            response = await current_app.make_response(await view())
        await idempotency.store_result(transaction(), claimed, await _result(response))
    except BaseException:
        await transaction().rollback()  # first, because SQLite has one writer
        await shielded(idempotency.release(work, organization_id, claimed))
        raise
    return response


def _replayed(result: idempotency.Result) -> Response:
    return Response(result.body, result.status, {**result.headers, "Idempotency-Replayed": "true"})


async def _request_hash() -> bytes:
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    digest.update(await request_body())
    return digest.digest()


async def _result(response: Any) -> idempotency.Result:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return idempotency.Result(response.status_code, headers, await response.get_data(as_text=True))
