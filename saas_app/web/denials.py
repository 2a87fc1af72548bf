"""Which refusals on an organization's routes its audit trail hears of.

A member without the permission, always. A member without the second factor, when Logto was asked for their
token in this very request: a refusal that is answered from memory is no news. Never anybody who does not
belong to the organization: they are only counted, in the log. Somebody who was a member is told so; a
stranger cannot tell an organization from one that does not exist.

What is refused is recorded whatever the browser says of its purpose, so that nobody looks for open doors
unseen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from quart import request

from saas_app.audit.denials import Asked, refused_without_second_factor
from saas_app.db.base import utc_now
from saas_app.errors import MfaRequired, NotFound, PermissionDenied
from saas_app.identity.former_members import NoLongerMember
from saas_app.web.context import current_principal, current_tenant, runtime, session_cookie


@asynccontextmanager
async def denials_noted(organization_id: str) -> AsyncIterator[None]:
    """Around everything a guarded view does, the request's transaction included; raises what it raises."""
    began = utc_now()
    try:
        yield
    except PermissionDenied as denied:
        if (tenant := current_tenant()) is not None:
            await runtime().denials.note(tenant.principal, organization_id, _asked(), denied.decision)
        raise
    except MfaRequired:
        await _note_missing_factor(organization_id, began)
        raise
    except NotFound:
        if current_tenant() is None:
            subject = _count_outsider(organization_id)
            former = await runtime().directory.find_former_member(organization_id, subject or "")
            if former is not None:
                raise NoLongerMember(former) from None
        raise


async def _note_missing_factor(organization_id: str, began: datetime) -> None:
    access = await runtime().sessions.find_access(session_cookie(request), organization_id)
    if access is None or access.organization_name is None:
        return
    if any(token.refusal and token.fetched_at >= began for token in access.tokens.values()):
        decision = refused_without_second_factor(access.principal, access.organization_name)
        await runtime().denials.note(access.principal, organization_id, _asked(), decision)


def _count_outsider(organization_id: str) -> str | None:
    """Count who asks, where somebody does; return who it is."""
    principal = current_principal()
    if principal is None:
        return None
    runtime().outsiders.count(principal.subject, organization_id, _asked())
    return principal.subject


def _asked() -> Asked:
    return Asked(request.method, request.path, request.url_rule.rule if request.url_rule else request.path)
