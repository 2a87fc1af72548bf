"""``Idempotency-Key``: a creation that is sent twice happens once, and answers the same twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from quart import Response, current_app, request

from saas_app.coordination import idempotency
from saas_app.db.endurance import endure
from saas_app.errors import BadRequest
from saas_app.identity.tenant import Tenant
from saas_app.web.context import database, request_body, runtime
from saas_app.web.json_api.responses import answers

View = Callable[..., Awaitable[Any]]

REPEATABLE: Final = "_api_repeatable"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS: Final = ("Content-Type", "Location", "ETag")


def repeatable(view: View) -> View:
    """For creations: with an ``Idempotency-Key``, the result is stored and given again.

    The same key with another body is 422, a key whose first request is under way 409. Refusals are not
    stored: they may be mended and tried again.
    """

    @wraps(view)
    async def once(tenant: Tenant, **arguments: Any) -> Any:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return await view(tenant, **arguments)
        if not _KEY.fullmatch(key):
            raise BadRequest("Idempotency-Key: 1 to 255 printable ASCII characters without spaces.")
        held = await idempotency.claim(
            runtime().work,
            tenant.organization_id,
            subject=tenant.principal.subject,
            key=key,
            request_hash=await _request_hash(),
        )
        if held.result is not None:
            headers = {**held.result.headers, "Idempotency-Replayed": "true"}
            return Response(held.result.body, held.result.status, headers)
        try:
            async with idempotency.held(runtime().work, tenant.organization_id, held):
                response = await current_app.make_response(await view(tenant, **arguments))
            await idempotency.keep(database(), held, await _result(response))
        except BaseException:
            await database().rollback()  # first: SQLite has one writer
            await endure(idempotency.release(runtime().work, tenant.organization_id, held))
            raise
        return response

    setattr(once, REPEATABLE, True)
    return answers(409, 422)(once)


async def _request_hash() -> bytes:
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    digest.update(await request_body())
    return digest.digest()


async def _result(response: Any) -> idempotency.Result:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return idempotency.Result(response.status_code, headers, await response.get_data(as_text=True))
