"""The application: wiring and nothing else."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
from quart import Quart

from saas_app import features, observability
from saas_app.audit.denials import Denials, Outsiders
from saas_app.config import TEMPLATES, Settings
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.identity.attempts import Attempts
from saas_app.identity.bearer import VerifiedTokens
from saas_app.identity.credentials.bearer_token import BearerTokens
from saas_app.identity.credentials.browser_session import BrowserSessions
from saas_app.identity.directory import Directory
from saas_app.identity.freshness import Freshness
from saas_app.identity.kept_forms import KeptForms
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.offered_methods import OfferedMethods
from saas_app.identity.profiles import Profiles
from saas_app.identity.sessions import SessionStore
from saas_app.identity.shown_secrets import ShownSecrets
from saas_app.identity.sign_in import SignIn
from saas_app.identity.sign_out import SignOut
from saas_app.identity.tenants import Tenants
from saas_app.identity.token_refresh import TokenRefresher
from saas_app.identity.vault import Vault
from saas_app.invitations.links import InvitationLinks
from saas_app.limits.changes import ChangeLimits
from saas_app.limits.lasting_counters import LastingCounters
from saas_app.limits.requests import RateLimits, open_rate_limits
from saas_app.logto import ManagementClient
from saas_app.logto.http import open_http
from saas_app.organizations.removal import RemovalWorker
from saas_app.rbac.permissions import Permission
from saas_app.runtime import Runtime
from saas_app.web import (
    clean_request,
    csrf,
    error_pages,
    health,
    hosts,
    limits,
    repeated_parameters,
    round_trips,
    security_headers,
    templating,
)
from saas_app.web.json_api import bodies, openapi, refusals
from saas_app.web.json_api import pages as api_docs
from saas_app.webhooks.backchannel import BackchannelLogout

_MAX_BODY = 1_000_000  # bytes
_GRACE = 0.5  # seconds a request waits longer than a call to Logto may take


def create_app(settings: Settings, offered: OfferedMethods | None = None) -> Quart:
    """Build the application for these settings. Connections open when it starts serving.

    ``offered``: the ways in that the front page shows beside a password; without it there are none.
    """
    app = Quart(__name__, static_folder=None, template_folder=str(TEMPLATES))
    vault = Vault(settings.encryption_keys)
    app.secret_key = vault.signing_key
    app.config.update(
        MAX_CONTENT_LENGTH=_MAX_BODY,
        MAX_FORM_PARTS=200,
        SESSION_COOKIE_NAME="workroom_notice",  # Quart's own session carries only flashed notices
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_tls,
    )
    observability.init(app)
    hosts.init(app, settings)
    clean_request.init(app)
    repeated_parameters.init(app)
    csrf.init(app, settings)
    security_headers.init(app, settings)
    templating.init(app)
    error_pages.init(app)
    round_trips.init(app)
    limits.init(app)
    bodies.init(app)
    refusals.init(app)
    openapi.init(app, features.tags())
    for blueprint in (health.blueprint, api_docs.blueprint, *features.blueprints()):
        app.register_blueprint(blueprint)

    @app.while_serving
    async def connections():  # type: ignore[no-untyped-def]
        engine = create_engine(settings.database_url)
        async with open_http(settings.logto_timeout) as http, open_rate_limits(settings) as rate_limits:
            work = UnitOfWork(engine)
            runtime = _build_runtime(settings, offered or OfferedMethods(), work, vault, http, rate_limits)
            app.extensions["workroom"] = runtime
            async with runtime.removals.running():
                yield
            await runtime.refresher.close()
            if runtime.management is not None:
                await runtime.management.close()
        await engine.dispose()

    return app


def _build_runtime(
    settings: Settings,
    offered: OfferedMethods,
    work: UnitOfWork,
    vault: Vault,
    http: aiohttp.ClientSession,
    rate_limits: RateLimits,
) -> Runtime:
    provider = LogtoProvider(
        endpoint=settings.logto_endpoint,
        app_id=settings.logto_app_id,
        app_secret=settings.logto_app_secret,
        api_resource=settings.api_resource,
        permission_scopes=tuple(permission.value for permission in Permission),
        http=http,
    )
    sessions = SessionStore(
        work,
        vault,
        idle_timeout=settings.session_idle_timeout,
        absolute_timeout=settings.session_absolute_timeout,
    )
    directory = Directory(work)
    freshness = Freshness(timedelta(seconds=settings.organization_token_max_age), settings.api_resource)
    refresher = TokenRefresher(sessions, directory, provider, freshness, timeout=settings.logto_timeout)
    patience = settings.logto_timeout + _GRACE
    tenants = Tenants(sessions, refresher, freshness, patience=patience)
    step_up = settings.fresh_sign_in_max_age
    sign_in = SignIn(
        Attempts(work, vault, patience=settings.logto_timeout + 1),
        provider,
        sessions,
        refresher,
        directory,
        redirect_uri=settings.redirect_uri,
    )
    management = None
    if settings.management is not None:
        management = ManagementClient(settings.management, http, timeout=settings.logto_timeout)
    sign_out = SignOut(
        provider,
        sessions,
        management,
        client_id=settings.logto_app_id,
        post_sign_out_uri=settings.post_sign_out_uri,
    )
    return Runtime(
        settings=settings,
        offered=offered,
        work=work,
        directory=directory,
        sessions=sessions,
        refresher=refresher,
        tenants=tenants,
        profiles=Profiles(sessions, directory, provider, refresher, patience=patience),
        browser_sessions=BrowserSessions(sessions, tenants, fresh_sign_in_max_age=step_up),
        verified_tokens=VerifiedTokens(provider.verifier, api_resource=settings.api_resource),
        bearer_tokens=BearerTokens(work, management, fresh_sign_in_max_age=step_up),
        sign_in=sign_in,
        sign_out=sign_out,
        kept_forms=KeptForms(work, vault),
        shown_secrets=ShownSecrets(work, vault),
        management=management,
        denials=Denials(work),
        outsiders=Outsiders(),
        backchannel=BackchannelLogout(work, provider, sessions, client_id=settings.logto_app_id),
        removals=RemovalWorker(work),
        rate_limits=rate_limits,
        txt_resolver=TxtResolver(settings.domain_nameservers),
        change_limits=ChangeLimits(settings, LastingCounters(work)),
        invitation_links=InvitationLinks(settings.app_url, vault),
    )
