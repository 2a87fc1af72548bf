"""Which refusals on an organization's routes its audit trail hears of.

A member without the permission, always. Who got no token from Logto – a stranger, a removed member, a member
without the second factor – when Logto was asked in this very request, and only in an organization whose name
we know: a refusal that is answered from memory is no news, and an id that somebody made up has no trail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from quart import request

from saas_app.audit.denials import refused_as_stranger, refused_without_second_factor
from saas_app.db.base import utc_now
from saas_app.errors import MfaRequired, NotFound, PermissionDenied
from saas_app.web.context import current_tenant, runtime, session_cookie


@asynccontextmanager
async def denials_noted(organization_id: str) -> AsyncIterator[None]:
    """Around everything a guarded view does, the request's transaction included; raises what it raises."""
    began = utc_now()
    try:
        yield
    except PermissionDenied as denied:
        if (tenant := current_tenant()) is not None:
            await runtime().denials.note(tenant.principal, organization_id, _route(), denied.decision)
        raise
    except (NotFound, MfaRequired) as refusal:
        if current_tenant() is None:
            await _note_refused_token(organization_id, refusal, began)
        raise


async def _note_refused_token(organization_id: str, refusal: NotFound | MfaRequired, began: datetime) -> None:
    access = await runtime().sessions.find_access(session_cookie(request), organization_id)
    if access is None or access.organization_name is None:
        return
    if not any(token.refusal and token.fetched_at >= began for token in access.tokens.values()):
        return
    refused = refused_as_stranger if isinstance(refusal, NotFound) else refused_without_second_factor
    decision = refused(access.principal, access.organization_name)
    await runtime().denials.note(access.principal, organization_id, _route(), decision)


def _route() -> str:
    rule = request.url_rule.rule if request.url_rule else request.path
    return f"{request.method} {rule}"
