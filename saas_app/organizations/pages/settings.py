"""Pages of an organization's settings, and its deletion."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

import saas_app.access_requests.service as access_requests
import saas_app.projects.service as projects
import saas_app.single_sign_on.service as single_sign_on
import saas_app.support.service as support
from saas_app.audit.last_saves import find_last_save
from saas_app.audit.values import LastSave
from saas_app.email_domains.changes import domains as domain_changes
from saas_app.email_domains.names import domain_of, find_ascii_domain
from saas_app.email_domains.service import ListedDomain, list_domains
from saas_app.errors import Invalid, LogtoUnavailable, RateLimited
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.organizations import service
from saas_app.organizations.changes import settings as changes
from saas_app.organizations.forms import (
    BrandingForm,
    DeleteForm,
    DomainForm,
    JoiningRoleForm,
    OrganizationForm,
    read_mfa_choice,
)
from saas_app.organizations.values import (
    OrganizationSettings,
    RolesConflict,
    version_of,
)
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.single_sign_on.values import Connection
from saas_app.support.values import Consent
from saas_app.text.domains import shown_domain
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated
from saas_app.web.context import database, open_reading, organization_change, runtime
from saas_app.web.guards import requires
from saas_app.web.limits import retry_after
from saas_app.web.notices import notify
from saas_app.web.templating import render

blueprint = Blueprint("organization_settings", __name__, url_prefix="/o/<organization_id>/settings")


@blueprint.get("")
@requires(Permission.ORGANIZATION_UPDATE)
async def show_settings(tenant: Tenant) -> ResponseReturnValue:
    """Show the current settings in Logto."""
    return await show_page(tenant, await service.read_settings(organization_change(tenant)))


@blueprint.post("")
@requires(Permission.ORGANIZATION_UPDATE)
async def save_details(tenant: Tenant) -> ResponseReturnValue:
    """Save the name and description. :mod:`.conflicts` handles a conflict."""
    fields = await request.form
    form, seen, change = OrganizationForm(fields), fields.get("seen", ""), organization_change(tenant)
    if not form.validate():
        return await show_page(tenant, await service.read_settings(change), details=form, seen=seen), 422
    try:
        await changes.save_details(change, seen, form.as_details())
    except (LogtoUnavailable, RateLimited) as error:
        page = await show_page(tenant, None, details=form, seen=seen, failure=error.detail)
        return page, error.status, retry_after(error)
    return await back_to_settings(tenant, _("Settings saved."))


@blueprint.post("/mfa")
@requires(Permission.ORGANIZATION_UPDATE)
async def save_mfa(tenant: Tenant) -> ResponseReturnValue:
    """Require a second factor, or stop requiring it."""
    wanted = read_mfa_choice(await request.form)
    await changes.require_mfa(organization_change(tenant), wanted)
    return await back_to_settings(
        tenant,
        _("A second factor is now required.") if wanted else _("A second factor is no longer required."),
    )


@blueprint.post("/domains")
@requires(Permission.ORGANIZATION_UPDATE)
async def add_domain(tenant: Tenant) -> ResponseReturnValue:
    """Claim an email domain. People join by it only after it is verified."""
    form, change = DomainForm(await request.form), organization_change(tenant)
    if form.validate():
        domain = form.domain.data or ""
        try:
            await domain_changes.claim_domain(change, domain)
        except Invalid as error:
            form.domain.errors = _messages(error)
        else:
            return await back_to_settings(
                tenant,
                _(
                    "%(domain)s was added. Verify it to let people join with it.",
                    domain=isolated(shown_domain(domain)),
                ),
                "info",
            )
    return await show_page(tenant, await service.read_settings(change), domain=form), 422


@blueprint.post("/domains/verify")
@requires(Permission.ORGANIZATION_UPDATE, complete=True)
async def verify_domain(tenant: Tenant) -> ResponseReturnValue:
    """Verify a domain by its TXT record, or by the caller's own verified address."""
    fields, change = await request.form, organization_change(tenant)
    domain = find_ascii_domain(fields.get("domain", "")) or ""
    try:
        if fields.get("proof") == "address":
            await domain_changes.verify_by_address(change, await _claims(tenant), domain)
        else:
            await domain_changes.verify_by_dns(change, runtime().txt_resolver, domain)
    except domain_changes.NotProved as error:
        problems = {domain: error.detail}
        return await show_page(tenant, await service.read_settings(change), problems=problems), error.status
    except Invalid as error:
        form = DomainForm(data={"domain": domain})
        form.domain.errors = _messages(error)
        return await show_page(tenant, await service.read_settings(change), domain=form), error.status
    return await back_to_settings(
        tenant,
        _(
            "%(domain)s is verified. People who sign up with an address there join automatically.",
            domain=isolated(shown_domain(domain)),
        ),
    )


@blueprint.post("/domains/remove")
@requires(Permission.ORGANIZATION_UPDATE)
async def remove_domain(tenant: Tenant) -> ResponseReturnValue:
    """Remove a domain, so that nobody joins by it."""
    domain = (await request.form).get("domain", "")
    await domain_changes.remove_domain(organization_change(tenant), domain)
    return await back_to_settings(
        tenant,
        _(
            "%(domain)s was removed. People who joined through it stay members.",
            domain=isolated(shown_domain(domain)),
        ),
    )


@blueprint.post("/joining-role")
@requires(Permission.ORGANIZATION_UPDATE, complete=True)
async def choose_joining_role(tenant: Tenant) -> ResponseReturnValue:
    """Save the default role of people who join automatically."""
    fields = await request.form
    form = JoiningRoleForm(fields, offered=service.joining_role_choices(tenant))
    change = organization_change(tenant)
    if not form.validate():
        return await show_page(tenant, await service.read_settings(change), role=form), 422
    try:
        await changes.choose_joining_role(change, fields.get("seen", ""), form.as_role())
    except Invalid as error:
        form.role.errors = _messages(error)
        return await show_page(tenant, await service.read_settings(change), role=form), 422
    except RolesConflict as error:
        chosen = ", ".join(sorted(error.theirs)) or _("no role")
        form.role.errors = [
            _(
                "The default role was changed to %(roles)s after you opened this page. Choose again.",
                roles=chosen,
            )
        ]
        last = await find_last_save(tenant.organization_id, {"joining_roles": sorted(error.theirs)})
        page = await show_page(tenant, await service.read_settings(change), role=form, role_saved=last)
        return page, error.status
    return await back_to_settings(tenant, _("Default role saved. It applies to people who join later."))


@blueprint.get("/delete")
@requires(Permission.ORGANIZATION_DELETE, complete=True, fresh=True)
async def confirm_delete(tenant: Tenant) -> ResponseReturnValue:
    """Ask for confirmation by typing the name."""
    return await _ask_to_delete(tenant, DeleteForm(), await service.get_name(organization_change(tenant)))


@blueprint.post("/delete")
@requires(Permission.ORGANIZATION_DELETE, fresh=True)
async def delete(tenant: Tenant) -> ResponseReturnValue:
    """Delete the organization in Logto. Its data here is removed in the background."""
    form, change = DeleteForm(await request.form), organization_change(tenant)
    try:
        name = await changes.delete_organization(change, form.name.data or "")
    except Invalid as error:
        form.name.errors = _messages(error)
        return await _ask_to_delete(tenant, form, await service.get_name(change)), 422
    runtime().removals.wake()
    await notify(_("%(name)s was deleted. Its data is being removed.", name=isolated(name)))
    return redirect(url_for("identity.renew", next="/o"), 303)


async def show_page(
    tenant: Tenant,
    current: OrganizationSettings | None,
    *,
    details: OrganizationForm | None = None,
    seen: str = "",
    branding: BrandingForm | None = None,
    branding_seen: str = "",
    domain: DomainForm | None = None,
    role: JoiningRoleForm | None = None,
    role_saved: LastSave | None = None,
    problems: Mapping[str, str] | None = None,
    failure: str = "",
) -> str:
    """Return the page. Given forms keep what was typed. Without ``current``, it has only the details form."""
    if current and details is None:
        details, seen = OrganizationForm(obj=current.details), version_of(current.details)
    if current and branding is None:
        branding, branding_seen = BrandingForm(obj=current.branding), version_of(current.branding)
    if current and role is None:
        role = _role_form(tenant, current)
    return render(
        "organizations/settings.html",
        current=current,
        domains=await _domains(tenant, current),
        own_domain=_own_domain(tenant),
        names_approvers=await _names_approvers(tenant, current),
        problems=problems or {},
        details=details,
        seen=seen,
        branding=branding,
        branding_seen=branding_seen,
        domain=domain or DomainForm(),
        role=role,
        role_saved=role_saved,
        support_consent=await _support_consent(tenant),
        is_support_team=support.is_of_team(runtime().settings, tenant),
        offers_sso=runtime().settings.offers_single_sign_on,
        sso=await _single_sign_on(tenant),
        sso_allowed=await _may_connect(tenant),
        failure=failure,
        account_center=runtime().settings.account_center,
    )


def _role_form(tenant: Tenant, current: OrganizationSettings) -> JoiningRoleForm:
    held = current.joining.role_names
    value = next(iter(held)) if len(held) == 1 else ""
    return JoiningRoleForm(offered=service.joining_role_choices(tenant), data={"role": value})


async def _domains(tenant: Tenant, current: OrganizationSettings | None) -> tuple[ListedDomain, ...]:
    if current is None:
        return ()
    grace = timedelta(seconds=runtime().settings.domain_grace)
    return await list_domains(runtime().work, tenant.organization_id, current.joining.domains, grace)


async def _support_consent(tenant: Tenant) -> Consent | None:
    if not runtime().settings.offers_support:
        return None
    return await support.get_consent(database(), tenant.organization_id)


async def _single_sign_on(tenant: Tenant) -> Connection | None:
    if not runtime().settings.offers_single_sign_on:
        return None
    return await single_sign_on.find(database(), tenant.organization_id)


async def _may_connect(tenant: Tenant) -> bool:
    settings = runtime().settings
    if not settings.offers_single_sign_on:
        return False
    return await single_sign_on.is_allowed(database(), tenant.organization_id, settings)


async def _names_approvers(tenant: Tenant, current: OrganizationSettings | None) -> bool:
    if current is None:
        return True
    async with open_reading(tenant) as db:
        return await access_requests.names_approvers(db, tenant)


def _own_domain(tenant: Tenant) -> str | None:
    """Return the domain of the caller's address, with which they may verify that domain."""
    principal = tenant.principal
    return domain_of(principal.email) if isinstance(principal, SessionPrincipal) else None


async def _claims(tenant: Tenant) -> Mapping[str, Any]:
    """Return the claims of the caller's ID token, or nothing for a caller without a session."""
    principal = tenant.principal
    if not isinstance(principal, SessionPrincipal):
        return {}
    return await runtime().profiles.get_claims(principal)


async def _ask_to_delete(tenant: Tenant, form: DeleteForm, name: str) -> str:
    may_count = Carrier.API_TOKEN in tenant.carriers and tenant.may(Permission.PROJECTS_READ)
    return render(
        "organizations/settings_delete.html",
        form=form,
        name=name,
        summary=await projects.summarize(database()) if may_count else None,
    )


async def back_to_settings(
    tenant: Tenant, notice: Sentence, category: str = "success"
) -> ResponseReturnValue:
    await notify(notice, category)
    return redirect(
        url_for("organization_settings.show_settings", organization_id=tenant.organization_id), 303
    )


def _messages(error: Invalid) -> list[str]:
    return list(error.fields.values()) or [error.detail]
