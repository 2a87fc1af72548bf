"""The account page: a person's profile at Logto, and their signed-in devices."""

from __future__ import annotations

import asyncio
from typing import Any

from quart import Blueprint, redirect
from quart.typing import ResponseReturnValue

from saas_app.accounts.company_accounts import read_company_sign_ins
from saas_app.accounts.linked_identities import linked_identities
from saas_app.accounts.pages.sign_in import leave
from saas_app.errors import LogtoUnavailable
from saas_app.identity.devices import ProviderFailure
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.sign_out import Ended
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated
from saas_app.web.context import runtime
from saas_app.web.guards import signed_in
from saas_app.web.limits import counts_as_change
from saas_app.web.notices import notify
from saas_app.web.templating import render
from saas_app.web.user_agents import device_name

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
@signed_in
async def account(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show the person's account at Logto, and where they are signed in."""
    user_info, devices = await asyncio.gather(
        _user_info(principal), runtime().sign_out.list_devices(principal)
    )
    claims = await runtime().profiles.get_claims(principal)
    company = await read_company_sign_ins(
        user_info,
        (device.sso_connector_id for device in devices.devices),
        subject=principal.subject,
        memberships=claims.get("organizations") or (),
        work=runtime().work,
        management=runtime().management,
        registration=runtime().registration,
    )
    return render(
        "identity/account.html",
        claims=claims,
        user_info=user_info,
        identities=linked_identities(user_info or {}, runtime().offered),
        company=company,
        account_center=runtime().settings.account_center,
        devices=devices.devices,
        devices_failure=devices.failure,
    )


async def _user_info(principal: SessionPrincipal) -> dict[str, Any] | None:
    """Return the person's current userinfo, or None if Logto cannot be asked."""
    try:
        return await runtime().profiles.fetch_user_info(principal)
    except LogtoUnavailable:
        return None


@blueprint.post("/sessions/<device_id>/end")
@signed_in
@counts_as_change
async def end_session(principal: SessionPrincipal, device_id: str) -> ResponseReturnValue:
    """Sign out one of the person's devices, at the sign-in provider too."""
    device, ended = await runtime().sign_out.end_device(principal, device_id)
    if device.is_current:
        return await leave(principal)
    name = device_name(device.user_agent)
    if ended.failure is None:
        await notify(_("%(device)s is signed out.", device=isolated(name)), "success")
    else:
        await notify(_left_at_logto(name, ended.failure), "danger")
    return redirect("/account", 303)


@blueprint.post("/sign-out-everywhere")
@signed_in
@counts_as_change
async def sign_out_everywhere(principal: SessionPrincipal) -> ResponseReturnValue:
    """End every session of the person, in every browser, at the sign-in provider too."""
    ended = await runtime().sign_out.end_everywhere(principal)
    if ended.failure is None:
        return await leave(None)
    await notify(_left_elsewhere(ended, ended.failure), "danger")
    if ended.kept_current:
        return redirect("/account", 303)
    return await leave(None)


def _left_at_logto(name: str, failure: ProviderFailure) -> Sentence:
    """Return the notice about a device that was signed out here, and maybe not at Logto."""
    values = {"device": isolated(name), "reason": failure.detail}
    if failure.can_retry:
        return _(
            "%(device)s is signed out of Workroom. %(reason)s It may still be signed in to Logto, and could "
            "return without a password. Try again in a moment.",
            **values,
        )
    return _(
        "%(device)s is signed out of Workroom. %(reason)s It may still be signed in to Logto, and could "
        "return without a password.",
        **values,
    )


def _left_elsewhere(ended: Ended, failure: ProviderFailure) -> Sentence:
    """Return the notice after signing out everywhere, if sessions at Logto may be left."""
    values = {"here": ended.here, "there": ended.at_provider, "reason": failure.detail}
    if ended.kept_current:
        return _(
            "%(here)s of your Workroom sessions and %(there)s of your Logto sessions ended. %(reason)s Other "
            "devices may still be signed in to Logto, and could return without a password. You are still "
            "signed in on this device. Try again.",
            **values,
        )
    if failure.can_retry:
        return _(
            "%(here)s of your Workroom sessions and %(there)s of your Logto sessions ended. %(reason)s Other "
            "devices may still be signed in to Logto, and could return without a password. Sign in and try "
            "again.",
            **values,
        )
    return _(
        "%(here)s of your Workroom sessions and %(there)s of your Logto sessions ended. %(reason)s Other "
        "devices may still be signed in to Logto, and could return without a password. Sign them out on your "
        "Logto account page.",
        **values,
    )
