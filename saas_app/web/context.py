"""Access to the services of the process, and to the data of the current request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import cast
from urllib.parse import quote

from quart import Request, current_app, g, request
from werkzeug.sansio.response import Response as BaseResponse

from saas_app.changes.organization_change import MemberChange, Systems
from saas_app.db.kept_connection import KeptConnection
from saas_app.db.session import DatabaseSession, ReadingSession, WritingSession
from saas_app.errors import ManagementNotSetUp
from saas_app.identity.principal import Principal
from saas_app.identity.sign_in import Browser
from saas_app.identity.tenant import Tenant
from saas_app.logto import ManagementClient
from saas_app.runtime import Runtime
from saas_app.text.cleaning import clean_line

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def runtime() -> Runtime:
    """Return the services of this process."""
    return cast("Runtime", current_app.extensions["workroom"])


def management() -> ManagementClient:
    """Return the client of Logto's Management API. Raises :class:`ManagementNotSetUp` without credentials."""
    found = runtime().management
    if found is None:
        raise ManagementNotSetUp
    return found


def systems() -> Systems:
    """Return our database and Logto, to change both. Raises :class:`ManagementNotSetUp`."""
    return Systems(runtime().work, management(), runtime().change_limits)


def organization_change(tenant: Tenant) -> MemberChange:
    """Return a change of the organization by the caller. Raises :class:`ManagementNotSetUp`."""
    return systems().by(tenant)


def database() -> DatabaseSession:
    """Return the session of this request, to read. The guard opens and closes it."""
    return cast("DatabaseSession", g.database)


def transaction() -> WritingSession:
    """Return the transaction of this request. The guard commits it when the view has returned.

    Raises :class:`TypeError` in a request whose method is safe, because such a request changes nothing.
    """
    if not isinstance(g.database, WritingSession):
        raise TypeError(f"{request.method} is a safe method, so its request has no transaction")
    return g.database


def request_connection() -> AbstractAsyncContextManager[KeptConnection | None]:
    """Let the sessions of a request with a safe method read on one connection."""
    return KeptConnection() if request.method in _READING else nullcontext()


@asynccontextmanager
async def request_database(organization_id: str | None) -> AsyncIterator[None]:
    """Open the request's session around a view: reading for safe methods, else one transaction."""
    work = runtime().work
    opened = work.reading if request.method in _READING else work.writing
    async with opened(organization_id) as session:
        g.database = session
        try:
            yield
        finally:
            del g.database


def open_reading(tenant: Tenant) -> AbstractAsyncContextManager[ReadingSession]:
    """Open a separate reading session, for a stream that outlives the view."""
    return runtime().work.reading(tenant.organization_id)


def open_writing(tenant: Tenant) -> AbstractAsyncContextManager[WritingSession]:
    """Open a short separate transaction, for a reading request that records something.

    Use it before the request's own session is used, because SQLite has one writer.
    """
    return runtime().work.writing(tenant.organization_id)


def current_principal() -> Principal | None:
    """Return the caller that the guard found, or None. For templates."""
    return cast("Principal | None", g.get("principal"))


def current_tenant() -> Tenant | None:
    """Return the tenant that the guard found, or None. For templates."""
    return cast("Tenant | None", g.get("tenant"))


def offers_lab() -> bool:
    """Return whether this installation has a lab. For templates."""
    return runtime().lab is not None


def support_desk() -> str:
    """Return the path of the support team's desk, in an installation that has one. For templates."""
    return f"/o/{quote(runtime().settings.support_organization_id, safe='')}/support"


def cookie_name(kind: str) -> str:
    """Return the name of one of our cookies. On TLS, a prefix pins it to this host (RFC 6265bis)."""
    prefix = "__Host-" if runtime().settings.is_tls else ""
    return f"{prefix}workroom_{kind}"


def session_cookie(incoming: Request) -> str:
    """Return the session cookie's value, or "" if there is none."""
    return incoming.cookies.get(cookie_name("session"), "")


def support_cookie(incoming: Request) -> str:
    """Return the value of the cookie of a support access, or "" if there is none."""
    return incoming.cookies.get(cookie_name("support"), "")


def set_cookie(response: BaseResponse, kind: str, value: str, max_age: int) -> None:
    """Set one of our cookies, for this host only and hidden from scripts."""
    response.set_cookie(
        cookie_name(kind),
        value,
        max_age=max_age,
        path="/",
        secure=runtime().settings.is_tls,
        httponly=True,
        samesite="Lax",
    )


def delete_cookie(response: BaseResponse, kind: str) -> None:
    """Delete one of our cookies."""
    response.delete_cookie(cookie_name(kind), path="/", secure=runtime().settings.is_tls)


def is_api(incoming: Request) -> bool:
    """Return whether the request is for the API: errors are problem documents, bearer tokens are accepted."""
    return incoming.path == "/api" or incoming.path.startswith("/api/")


def bearer_token(incoming: Request) -> str | None:
    """Return the bearer token of an API request (RFC 6750 §2.1), or None. With one, no cookie counts."""
    scheme, _, token = incoming.headers.get("Authorization", "").partition(" ")
    return token.strip() if is_api(incoming) and scheme.lower() == "bearer" else None


async def request_body() -> bytes:
    """Return the raw body of this request."""
    return cast("bytes", await request.get_data(as_text=False))


def reader_language() -> str:
    """Return the language that the browser prefers, or "" if it names none."""
    return next(iter(request.accept_languages.values()), "")


def browser(incoming: Request) -> Browser:
    """Return what identifies the browser of a request."""
    return Browser(
        attempt_cookie=incoming.cookies.get(cookie_name("attempt"), ""),
        session_cookie=session_cookie(incoming),
        user_agent=clean_line(incoming.headers.get("User-Agent")),
        address=clean_line(incoming.remote_addr),
    )
