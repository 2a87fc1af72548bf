"""Decides which denials on an organization's routes are recorded in its audit log.

A denial of a member without the permission, or without the required single sign-on, is always recorded. A
denial of a member without a second factor is recorded if Logto was asked for their token in this request; a
denial from memory is not new. Requests of people who do not belong to the organization are only counted, in
the log. Former members see that their membership ended; a stranger cannot tell an organization from one that
does not exist.

Denials are recorded even if the browser says that it only prefetches, so that no attempt goes unseen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from quart import request

from saas_app.audit.denials import (
    RequestInfo,
    refused_without_second_factor,
    refused_without_single_sign_on,
)
from saas_app.audit.recorder import Actor
from saas_app.db.base import utc_now
from saas_app.errors import MfaRequired, NotFound, PermissionDenied, SsoRequired
from saas_app.identity.former_members import NoLongerMember
from saas_app.web.context import current_principal, current_tenant, runtime, session_cookie


@asynccontextmanager
async def recording_denials(organization_id: str) -> AsyncIterator[None]:
    """Record the denials of a guarded view, and raise what it raises. The view's transaction is inside."""
    began = utc_now()
    try:
        yield
    except PermissionDenied as denied:
        if (tenant := current_tenant()) is not None:
            await runtime().denials.note(tenant.principal, organization_id, _request_info(), denied.decision)
        raise
    except SsoRequired as required:
        await _note_other_sign_in(required)
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


async def _note_other_sign_in(required: SsoRequired) -> None:
    principal = current_principal()
    if principal is not None:
        decision = refused_without_single_sign_on(principal, required.organization, required.provider)
        await runtime().denials.note(principal, required.organization_id, _request_info(), decision)


async def _note_missing_factor(organization_id: str, began: datetime) -> None:
    access = await runtime().sessions.find_access(session_cookie(request), organization_id)
    if access is None or access.organization_name is None:
        return
    if any(token.refusal and token.fetched_at >= began for token in access.tokens.values()):
        decision = refused_without_second_factor(access.principal, access.organization_name)
        await runtime().denials.note(access.principal, organization_id, _request_info(), decision)


def _count_outsider(organization_id: str) -> str | None:
    """Count the caller's request, and return the id of the caller, if there is one.

    For an agent that is their own id: where the member belonged elsewhere is not for them.
    """
    principal = current_principal()
    if principal is None:
        return None
    caller = Actor.of(principal).id
    runtime().outsiders.count(caller, organization_id, _request_info())
    return caller


def _request_info() -> RequestInfo:
    return RequestInfo(
        request.method, request.path, request.url_rule.rule if request.url_rule else request.path
    )
