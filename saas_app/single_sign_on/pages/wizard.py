"""The page on which an admin sets single sign-on up, step by step."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.errors import AppError, Invalid, LogtoUnavailable, RateLimited
from saas_app.identity.tenant import Tenant
from saas_app.organizations.service import joining_role_choices
from saas_app.rbac.permissions import Permission
from saas_app.single_sign_on import service
from saas_app.single_sign_on.changes import groups, provider, switching, testing
from saas_app.single_sign_on.changes.steps import ConnectorGone, NotAllowed, NotSetUp, Unreachable
from saas_app.single_sign_on.forms import GroupsForm, ProviderForm, put_errors, read_domains, read_joins
from saas_app.single_sign_on.pages.broker import offered_broker
from saas_app.single_sign_on.values import Connection
from saas_app.text.translation import Sentence, _
from saas_app.web.context import browser, management, organization_change, runtime
from saas_app.web.guards import requires
from saas_app.web.limits import retry_after
from saas_app.web.notices import notify
from saas_app.web.prefetches import only_deliberately
from saas_app.web.templating import render
from saas_app.web.to_logto import bound_to_attempt

blueprint = Blueprint("single_sign_on", __name__, url_prefix="/o/<organization_id>/single-sign-on")

_SHOWN: Final = (Invalid, NotAllowed, NotSetUp, ConnectorGone, Unreachable, LogtoUnavailable, RateLimited)
"""Errors that the page shows, with its forms as they were sent."""


@blueprint.get("")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
async def show_page(tenant: Tenant) -> ResponseReturnValue:
    """Show each step, and what is missing."""
    service.require_offered(runtime().settings)
    return await _page(tenant)


@blueprint.post("/begin")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
async def begin(tenant: Tenant) -> ResponseReturnValue:
    """Create the connection, here and at Logto, so that its redirect URI is known."""
    service.require_offered(runtime().settings)
    work = provider.begin(organization_change(tenant), runtime().registration, self_service=_self_service())
    return await try_change(tenant, work, _("Single sign-on was created. Nobody uses it yet."), "domains")


@blueprint.post("/domains")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
async def choose_domains(tenant: Tenant) -> ResponseReturnValue:
    """Choose the email domains whose people use it."""
    service.require_offered(runtime().settings)
    chosen = read_domains(await request.form)
    work = switching.choose_domains(organization_change(tenant), chosen, self_service=_self_service())
    notice = _("Email domains saved.") if chosen else _("Saved. No email domain is chosen.")
    return await try_change(tenant, work, notice, "domains")


@blueprint.post("/provider")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
async def save_provider(tenant: Tenant) -> ResponseReturnValue:
    """Enter the identity provider. Its secret is stored encrypted, and never shown."""
    service.require_offered(runtime().settings)
    form = ProviderForm(await request.form, allows_private=_allows_private())
    if not form.validate():
        return await _page(tenant, provider=form), 422
    work = provider.configure(
        organization_change(tenant),
        runtime().issuer_inspector,
        runtime().registration,
        form.as_provider(),
        self_service=_self_service(),
    )
    return await try_change(tenant, work, _("Provider saved. Test it now."), "test", provider=form)


@blueprint.get("/test")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
@only_deliberately
async def test(tenant: Tenant) -> ResponseReturnValue:
    """Sign in at the provider once. Logto has no part in it, and the caller's session stays as it is."""
    service.require_offered(runtime().settings)
    change, back = organization_change(tenant), f"{page_path(tenant)}#test"
    try:
        connection, tester = await testing.prepare_test(change, back, self_service=_self_service())
    except (Invalid, NotAllowed, NotSetUp) as error:
        return await _refused(tenant, error)
    visitor = browser(request)
    way = await offered_broker().depart_for_test(connection, tester, visitor.attempt_cookie)
    return bound_to_attempt(redirect(way.url, 303), visitor, way.browser_cookie)


@blueprint.post("/people")
@requires(Permission.ORGANIZATION_UPDATE, complete=True, fresh=True)
async def choose_people(tenant: Tenant) -> ResponseReturnValue:
    """Choose whether people who sign in become members."""
    service.require_offered(runtime().settings)
    work = switching.choose_joining(
        organization_change(tenant), read_joins(await request.form), self_service=_self_service()
    )
    return await try_change(tenant, work, _("Saved."), "people")


@blueprint.post("/on")
@requires(Permission.ORGANIZATION_UPDATE, complete=True, fresh=True)
async def turn_on(tenant: Tenant) -> ResponseReturnValue:
    """Let the people of the chosen domains sign in at the provider."""
    service.require_offered(runtime().settings)
    work = switching.turn_on(
        organization_change(tenant),
        runtime().issuer_inspector,
        runtime().registration,
        self_service=_self_service(),
    )
    return await try_change(tenant, work, _("Single sign-on is on."), "switch")


@blueprint.post("/off")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
async def turn_off(tenant: Tenant) -> ResponseReturnValue:
    """Let people sign in as before."""
    service.require_offered(runtime().settings)
    work = switching.turn_off(organization_change(tenant))
    return await try_change(tenant, work, _("Single sign-on is off. People sign in as before."), "switch")


@blueprint.post("/apply")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
async def apply_again(tenant: Tenant) -> ResponseReturnValue:
    """Write to Logto again what the page says."""
    service.require_offered(runtime().settings)
    work = switching.apply_again(
        organization_change(tenant), runtime().registration, self_service=_self_service()
    )
    return await try_change(tenant, work, _("Logto has the settings of this page again."), "")


@blueprint.post("/groups")
@requires(Permission.ORGANIZATION_UPDATE, complete=True, fresh=True)
async def map_groups(tenant: Tenant) -> ResponseReturnValue:
    """Map groups at the provider to roles."""
    service.require_offered(runtime().settings)
    form = GroupsForm(await request.form)
    if not form.validate():
        return await _page(tenant, mapping=form), 422
    work = groups.map_groups(
        organization_change(tenant), form.claim.data or "", form.rows, self_service=_self_service()
    )
    notice = _("Roles of groups saved. They apply the next time people sign in.")
    return await try_change(tenant, work, notice, "groups", mapping=form)


@blueprint.post("/remove")
@requires(Permission.ORGANIZATION_UPDATE, fresh=True)
async def remove(tenant: Tenant) -> ResponseReturnValue:
    """Delete the connection at Logto and here."""
    service.require_offered(runtime().settings)
    work = provider.remove(organization_change(tenant))
    return await try_change(tenant, work, _("Single sign-on was removed. People sign in as before."), "")


async def try_change(
    tenant: Tenant, work: Awaitable[None], notice: Sentence, step: str, **forms: Any
) -> ResponseReturnValue:
    """Make a change and return to its step, or show the page with what went wrong."""
    try:
        await work
    except _SHOWN as error:
        return await _refused(tenant, error, **forms)
    await notify(notice)
    return redirect(page_path(tenant) + (f"#{step}" if step else ""), 303)


async def _refused(
    tenant: Tenant, error: AppError, *, provider: ProviderForm | None = None, **forms: Any
) -> ResponseReturnValue:
    failure: AppError | None = error
    if isinstance(error, Invalid) and provider is not None and put_errors(provider, error):
        failure = None
    page = await _page(tenant, provider=provider, failure=failure, **forms)
    return page, error.status, retry_after(error)


async def _page(
    tenant: Tenant,
    *,
    provider: ProviderForm | None = None,
    mapping: GroupsForm | None = None,
    failure: AppError | None = None,
) -> str:
    """Return the page. Given forms keep what was typed, except the secret."""
    overview = await service.read_overview(
        runtime().work,
        management(),
        runtime().registration,
        tenant.organization_id,
        self_service=_self_service(),
    )
    connection = overview.connection
    if connection is not None:
        provider = provider or ProviderForm.of(connection, allows_private=_allows_private())
        mapping = mapping or GroupsForm.of(connection)
    return render(
        "single_sign_on/page.html",
        overview=overview,
        connection=connection,
        stage=connection.stage if connection else None,
        is_lasting=Permission.ORGANIZATION_UPDATE in tenant.lasting,
        redirect_uri=_redirect_uri(connection),
        provider=provider,
        mapping=mapping,
        roles=joining_role_choices(tenant),
        failure=failure,
    )


def _redirect_uri(connection: Connection | None) -> str:
    return "" if connection is None else runtime().registration.redirect_uri(connection.connector_id)


def _self_service() -> bool:
    return runtime().settings.single_sign_on_self_service


def _allows_private() -> bool:
    return runtime().settings.single_sign_on_private_issuers


def page_path(tenant: Tenant) -> str:
    """Return the path of the page."""
    return url_for("single_sign_on.show_page", organization_id=tenant.organization_id)
