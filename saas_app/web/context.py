"""What a view can reach: the process's services, and the database session of its request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

from quart import Request, current_app, g, request
from sqlalchemy.ext.asyncio import AsyncSession
from werkzeug.sansio.response import Response as BaseResponse

from saas_app.changes.organization_change import MemberChange, Systems
from saas_app.errors import ManagementNotSetUp
from saas_app.identity.principal import Principal
from saas_app.identity.sign_in import Browser
from saas_app.identity.tenant import Tenant
from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from saas_app.text.cleaning import clean_line

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def runtime() -> Runtime:
    """The services of this process."""
    return cast("Runtime", current_app.extensions["workroom"])


def management() -> ManagementClient:
    """Logto's Management API. Raises :class:`ManagementNotSetUp` without credentials for it."""
    found = runtime().management
    if found is None:
        raise ManagementNotSetUp
    return found


def systems() -> Systems:
    """Our database and Logto, to change both. Raises :class:`ManagementNotSetUp`."""
    return Systems(runtime().work, management(), runtime().change_limits)


def organization_change(tenant: Tenant) -> MemberChange:
    """A change of the organization by the caller. Raises :class:`ManagementNotSetUp`."""
    return systems().by(tenant)


def database() -> AsyncSession:
    """The session of this request: opened by the guard, committed when the view has returned."""
    return cast("AsyncSession", g.database)


@asynccontextmanager
async def request_database(organization_id: str | None) -> AsyncIterator[None]:
    """Open the request's session around a view: reading for safe methods, one transaction else."""
    work = runtime().work
    opened = work.reading if request.method in _READING else work.writing
    async with opened(organization_id) as session:
        g.database = session
        try:
            yield
        finally:
            del g.database


def open_reading(tenant: Tenant) -> AbstractAsyncContextManager[AsyncSession]:
    """A reading session of its own, for a stream that outlives the view."""
    return runtime().work.reading(tenant.organization_id)


def open_writing(tenant: Tenant) -> AbstractAsyncContextManager[AsyncSession]:
    """A short transaction of its own, for what a reading request leaves behind.

    Only while the request's own session has not been used: SQLite has one writer.
    """
    return runtime().work.writing(tenant.organization_id)


def current_principal() -> Principal | None:
    """The caller the guard found, if any: for templates."""
    return cast("Principal | None", g.get("principal"))


def current_tenant() -> Tenant | None:
    """The organization the guard resolved, if any: for templates."""
    return cast("Tenant | None", g.get("tenant"))


def cookie_name(kind: str) -> str:
    """The name of one of our cookies; on TLS with the prefix that pins it to this host (RFC 6265bis)."""
    prefix = "__Host-" if runtime().settings.is_tls else ""
    return f"{prefix}workroom_{kind}"


def session_cookie(incoming: Request) -> str:
    """The session cookie's value, empty when there is none."""
    return incoming.cookies.get(cookie_name("session"), "")


def set_cookie(response: BaseResponse, kind: str, value: str, max_age: int) -> None:
    """Set one of our cookies: for this host alone, never for a script."""
    response.set_cookie(
        cookie_name(kind),
        value,
        max_age=max_age,
        path="/",
        secure=runtime().settings.is_tls,
        httponly=True,
        samesite="Lax",
    )


def is_api(incoming: Request) -> bool:
    """Whether a program is spoken to: errors are problem documents, and bearer tokens are accepted."""
    return incoming.path == "/api" or incoming.path.startswith("/api/")


def bearer_token(incoming: Request) -> str | None:
    """The bearer token of an API request (RFC 6750 §2.1); then no cookie counts. None without one."""
    scheme, _, token = incoming.headers.get("Authorization", "").partition(" ")
    return token.strip() if is_api(incoming) and scheme.lower() == "bearer" else None


async def request_body() -> bytes:
    """The body of this request, as it came."""
    return cast("bytes", await request.get_data(as_text=False))


def reader_language() -> str:
    """The language that the reader's browser asks for first; "" when it names none."""
    return next(iter(request.accept_languages.values()), "")


def browser(incoming: Request) -> Browser:
    """What identifies the browser that asks."""
    return Browser(
        attempt_cookie=incoming.cookies.get(cookie_name("attempt"), ""),
        session_cookie=session_cookie(incoming),
        user_agent=clean_line(incoming.headers.get("User-Agent")),
        address=clean_line(incoming.remote_addr),
    )
