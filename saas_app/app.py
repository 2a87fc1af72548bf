"""The application: only wiring."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext

from quart import Quart
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app import features, observability
from saas_app.changes.organization_change import Systems
from saas_app.config import Settings
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.offered_methods import OfferedMethods
from saas_app.identity.vault import Vault
from saas_app.lab.cleanup import LabCleaner
from saas_app.limits.requests import open_rate_limits
from saas_app.logto.http import open_http
from saas_app.members.role_endings import RoleEndWorker
from saas_app.notifications.emails import EmailWorker
from saas_app.notifications.letters import Letters
from saas_app.notifications.smtp import SmtpServer
from saas_app.runtime import Runtime
from saas_app.telemetry.observer import Observer, observers_of
from saas_app.web import (
    clean_request,
    csrf,
    error_pages,
    health,
    hosts,
    limits,
    reader,
    repeated_parameters,
    round_trips,
    routes,
    rules,
    security_headers,
    templating,
)
from saas_app.web.connection import Connection
from saas_app.web.json_api import bodies, openapi
from saas_app.web.json_api import pages as api_docs
from saas_app.web.notices import Notices

_MAX_BODY = 1_000_000  # bytes
_JOBS_POOL = 2  # connections


def create_app(settings: Settings, offered: OfferedMethods | None = None) -> Quart:
    """Build the application for these settings. Connections open when it starts serving.

    ``offered`` are the ways to sign in that the front page shows besides a password; by default none.
    """
    app = Quart(__name__, static_folder=None)
    vault = Vault(settings.encryption_keys)
    app.secret_key = vault.signing_key
    app.config.update(
        MAX_CONTENT_LENGTH=_MAX_BODY,
        MAX_FORM_PARTS=200,
        SESSION_COOKIE_NAME="workroom_notice",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_tls,
    )
    routes.init(app)
    app.asgi_http_class = Connection
    app.request_class = clean_request.CleanRequest
    app.session_interface = Notices()
    observers = observers_of(settings)
    for observer in observers:
        observer.observe_requests(app)
    _add_rules(app, settings, observers)
    for blueprint in (health.blueprint, api_docs.blueprint, *features.blueprints()):
        app.register_blueprint(blueprint)
    _open_while_serving(app, settings, observers, offered or OfferedMethods(), vault)
    return app


def _add_rules(app: Quart, settings: Settings, observers: tuple[Observer, ...]) -> None:
    """Add what applies to every request. The checks and the finishes run in this order."""
    observability.init()
    rules.init(
        app,
        checks=(
            observability.begin_request,
            reader.begin_reading,
            hosts.other_hosts_refused(settings),
            hosts.redirect_within_our_origin,
            clean_request.refuse_unclean_path,
            repeated_parameters.refuse_repeated,
            csrf.cross_site_refused(settings),
        ),
        finishes=(
            limits.add_headers,
            security_headers.headers_added(settings),
            reader.name_language,
            *(observer.finish for observer in observers),
            observability.finish_request,
        ),
    )
    templating.init(app)
    error_pages.init(app)
    round_trips.init(app)
    bodies.init(app)
    openapi.init(app, features.tags())


def _open_while_serving(
    app: Quart, settings: Settings, observers: tuple[Observer, ...], offered: OfferedMethods, vault: Vault
) -> None:
    """Open the connections before the first request, and close them after the last."""

    @app.while_serving
    async def connections():  # type: ignore[no-untyped-def]
        engine, jobs_engine = create_engine(settings.database_url), _jobs_engine(settings)
        work = UnitOfWork(engine)
        watching = [observer.trace_config() for observer in observers]
        async with (
            open_http(settings.logto_timeout, watching) as http,
            open_rate_limits(settings) as rate_limits,
            AsyncExitStack() as observed,
        ):
            runtime = Runtime(
                settings=settings,
                offered=offered,
                work=work,
                jobs=UnitOfWork(jobs_engine) if jobs_engine else work,
                vault=vault,
                http=http,
                rate_limits=rate_limits,
            )
            app.extensions["workroom"] = runtime
            for observer in observers:
                await observed.enter_async_context(observer.running(engine, runtime.work))
            async with (
                runtime.removals.running(),
                _ending_roles(runtime),
                _sending_emails(runtime),
                _cleaning_the_lab(runtime),
            ):
                yield
            await runtime.close()
        await engine.dispose()
        if jobs_engine:
            await jobs_engine.dispose()


def _ending_roles(runtime: Runtime) -> AbstractAsyncContextManager[None]:
    """Take roles away at Logto during the block when they end."""
    if runtime.management is None:
        return nullcontext()
    systems = Systems(runtime.work, runtime.management, change_limits=None)
    return RoleEndWorker(systems, runtime.jobs).running()


def _sending_emails(runtime: Runtime) -> AbstractAsyncContextManager[None]:
    """Send emails about memberships during the block, if the settings allow it."""
    settings = runtime.settings
    if runtime.management is None or not settings.can_email:
        return nullcontext()
    server = SmtpServer.at(settings.smtp_url.get_secret_value())
    letters = Letters(settings.mail_from, runtime.email_links)
    return EmailWorker(runtime.jobs, runtime.management, server, letters).running()


def _cleaning_the_lab(runtime: Runtime) -> AbstractAsyncContextManager[None]:
    """Delete unused practice organizations during the block, also those from before the lab was off."""
    if runtime.lab_systems is None:
        return nullcontext()
    return LabCleaner(runtime.lab_systems, runtime.jobs, is_on=runtime.settings.lab).running()


def _jobs_engine(settings: Settings) -> AsyncEngine | None:
    """Return an engine for jobs in the background, or None if they have no role of their own."""
    has_own_role = settings.jobs_url != settings.database_url
    return create_engine(settings.jobs_url, pool_size=_JOBS_POOL) if has_own_role else None
