"""Pages of API clients: the list, creating, rotating, revoking.

A form leads to the page that shows the secret. That page can be reloaded for a minute in the same session.
The secret is in no URL and no notice.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import cast

import structlog
from quart import Blueprint, g, redirect, request, url_for
from quart.typing import ResponseReturnValue

from saas_app.api_clients import changes, service
from saas_app.api_clients.applications import NotRotated
from saas_app.api_clients.forms import (
    DESCRIPTION_LENGTH,
    NAME_LENGTH,
    ClientForm,
    SecretForm,
)
from saas_app.api_clients.usage import Usage
from saas_app.api_clients.values import Client, NewSecret, permission_choices
from saas_app.changes.rows import ChosenRow, change_each
from saas_app.errors import AppError, Conflict, DatabaseUnavailable, Invalid, LogtoUnavailable, RateLimited
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.members.forms import read_filter
from saas_app.rbac.permissions import Permission, permissions_of
from saas_app.text.translation import _, ngettext
from saas_app.text.visible import isolated
from saas_app.web import bulk
from saas_app.web.context import database, management, organization_change, runtime
from saas_app.web.guards import requires
from saas_app.web.limits import retry_after
from saas_app.web.notices import notify
from saas_app.web.templating import render

log = structlog.get_logger(__name__)

blueprint = Blueprint("api_clients", __name__, url_prefix="/o/<organization_id>/api-clients")

_NO_STORE = {"Cache-Control": "no-store"}


@blueprint.get("")
@requires(Permission.API_CLIENTS_MANAGE)
async def list_clients(tenant: Tenant) -> ResponseReturnValue:
    """List the API clients of the organization. Each page is one of Logto's."""
    wanted = read_filter(request.args)
    page = await service.list_clients(database(), management(), tenant, wanted)
    return render("api_clients/list.html", page=page, wanted=wanted)


@blueprint.get("/new")
@requires(Permission.API_CLIENTS_MANAGE, complete=True)
async def new_client(tenant: Tenant) -> ResponseReturnValue:
    """Show the form for a new client."""
    management()
    return _show_form(tenant, ClientForm())


@blueprint.post("/new")
@requires(Permission.API_CLIENTS_MANAGE, complete=True)
async def create_client(tenant: Tenant) -> ResponseReturnValue:
    """Create the client and redirect to its secret. If Logto fails, the form keeps what was typed."""
    form = ClientForm(await request.form)
    if not form.validate():
        return _show_form(tenant, form), 422
    try:
        made = await changes.create(organization_change(tenant), form.as_wanted())
    except Invalid as error:
        form.refuse(error)
        return _show_form(tenant, form, failure="" if error.fields else error.detail), error.status
    except (Conflict, LogtoUnavailable, RateLimited) as error:
        return _show_form(tenant, form, failure=error.detail), error.status, retry_after(error)
    return await _redirect_to_secret(tenant, made, is_new=True)


@blueprint.get("/<client_id>/secret")
@requires(Permission.API_CLIENTS_MANAGE)
async def show_secret(tenant: Tenant, client_id: str) -> ResponseReturnValue:
    """Show the secret that this session just received, or after a minute what to do without it."""
    session = _session_of(tenant)
    found = await runtime().shown_secrets.find(session.session_id, _secret_name(tenant, client_id))
    if found is None:
        client = await _get(tenant, client_id)
        return render("api_clients/secret_gone.html", client=client), 410, _NO_STORE
    with suppress(LogtoUnavailable, RateLimited):  # then Logto cannot say whether it was revoked meanwhile
        await _get(tenant, client_id)
    ends, roles = found["expires_at"], frozenset(found["roles"])
    expires_at = None if ends is None else datetime.fromisoformat(ends)
    made = NewSecret(client_id, found["name"], found["secret"], roles, expires_at, found["old_left"])
    return _show_secret(tenant, made, is_new=found["is_new"]), 200, _NO_STORE


@blueprint.get("/<client_id>/rotate")
@requires(Permission.API_CLIENTS_MANAGE, complete=True)
async def confirm_rotation(tenant: Tenant, client_id: str) -> ResponseReturnValue:
    """Ask for confirmation, or show why the secret is not rotated here."""
    client = await _get(tenant, client_id)
    changes.require_only_here(client)
    return render("api_clients/rotate.html", client=client, form=SecretForm())


@blueprint.post("/<client_id>/rotate")
@requires(Permission.API_CLIENTS_MANAGE, complete=True)
async def rotate(tenant: Tenant, client_id: str) -> ResponseReturnValue:
    """Create a new secret, delete the old ones, and redirect to the new one."""
    form = SecretForm(await request.form)
    if not form.validate():
        client = await _get(tenant, client_id)
        return render("api_clients/rotate.html", client=client, form=form), 422
    changed = await changes.rotate(organization_change(tenant), client_id, form.days)
    return await _redirect_to_secret(tenant, changed, is_new=False)


@blueprint.get("/<client_id>/revoke")
@requires(Permission.API_CLIENTS_MANAGE)
async def confirm_revocation(tenant: Tenant, client_id: str) -> ResponseReturnValue:
    """Ask for confirmation."""
    return render("api_clients/revoke.html", client=await _get(tenant, client_id))


@blueprint.post("/<client_id>/revoke")
@requires(Permission.API_CLIENTS_MANAGE)
async def revoke(tenant: Tenant, client_id: str) -> ResponseReturnValue:
    """Revoke the client. Its next request is rejected."""
    client = await changes.revoke(organization_change(tenant), client_id)
    await notify(
        _("%(client)s was revoked. Its tokens are rejected from now on.", client=isolated(client.name))
        if client.is_only_here
        else _(
            "%(client)s was removed from %(organization)s. Its tokens are rejected from now on.",
            client=isolated(client.name),
            organization=isolated(tenant.organization_name),
        )
    )
    return redirect(_list_of(tenant), 303)


@blueprint.post("/bulk/revoke")
@requires(Permission.API_CLIENTS_MANAGE)
async def revoke_chosen(tenant: Tenant) -> ResponseReturnValue:
    """Ask for confirmation, then revoke the chosen clients one after the other."""
    rows, back = await bulk.read_rows(), await bulk.back_to(_list_of(tenant))
    names = await service.list_names(management(), tenant)
    if not await bulk.is_confirmed():
        found = [names[row.id] for row in rows if row.id in names]
        number = len(found)
        return await bulk.ask(
            ngettext("Revoke %(num)s API client?", "Revoke %(num)s API clients?", number),
            _(
                "Secrets stop working, and current tokens are rejected. A client that was added in Logto "
                "Console or that other organizations use is only removed from this organization. This cannot "
                "be undone."
            ),
            ngettext("Revoke %(num)s API client", "Revoke %(num)s API clients", number),
            found,
            back,
        )

    async def revoke_one(row: ChosenRow) -> str:
        return (await changes.revoke(organization_change(tenant), row.id)).name

    results = [
        replace(result, name=result.name or names.get(result.id, ""))
        for result in await change_each(rows, revoke_one)
    ]
    done = ngettext("%(num)s API client revoked.", "%(num)s API clients revoked.", len(results))
    return await bulk.report(_("Revoke API clients"), done, results, back)


@blueprint.errorhandler(changes.NotOnlyHere)
@blueprint.errorhandler(NotRotated)
@blueprint.errorhandler(service.ClientNotFound)
async def refused(error: AppError) -> ResponseReturnValue:
    """Show why the change was not made, with a link to the clients."""
    page = render("api_clients/refused.html", error=error, request_id=g.get("request_id", ""))
    return page, error.status, retry_after(error)


def _list_of(tenant: Tenant) -> str:
    return url_for("api_clients.list_clients", organization_id=tenant.organization_id)


async def _get(tenant: Tenant, client_id: str) -> Client:
    return await service.get_client(database(), management(), tenant, client_id)


def _show_form(tenant: Tenant, form: ClientForm, failure: str = "") -> str:
    return render(
        "api_clients/new.html",
        form=form,
        failure=failure,
        name_length=NAME_LENGTH,
        description_length=DESCRIPTION_LENGTH,
        choices=permission_choices(tenant.lasting),
    )


async def _redirect_to_secret(tenant: Tenant, made: NewSecret, *, is_new: bool) -> ResponseReturnValue:
    """Redirect to the page with the secret. If it cannot be stored, show it at once."""
    content = {
        "name": made.name,
        "secret": made.secret,
        "roles": sorted(made.role_names),
        "expires_at": None if made.expires_at is None else made.expires_at.isoformat(),
        "old_left": made.old_left,
        "is_new": is_new,
    }
    name = _secret_name(tenant, made.client_id)
    try:
        await runtime().shown_secrets.put(_session_of(tenant).session_id, name, content)
    except DatabaseUnavailable:
        log.warning("a secret could not be stored, and is shown at once", exc_info=True)
        return _show_secret(tenant, made, is_new=is_new), 200, _NO_STORE
    page = url_for(
        "api_clients.show_secret", organization_id=tenant.organization_id, client_id=made.client_id
    )
    return redirect(page, 303)


def _secret_name(tenant: Tenant, client_id: str) -> str:
    return f"api-client {tenant.organization_id} {client_id}"


def _session_of(tenant: Tenant) -> SessionPrincipal:
    """Return the session of the request. Pages accept no bearer token."""
    return cast("SessionPrincipal", tenant.principal)


def _show_secret(tenant: Tenant, made: NewSecret, *, is_new: bool) -> str:
    usage = Usage.of(runtime().settings, tenant, made.role_names)
    return render(
        "api_clients/secret.html",
        made=made,
        is_new=is_new,
        permissions=permissions_of(made.role_names),
        commands=usage.commands(made.client_id, made.secret),
    )
