"""Checks of what is provisioned in Logto, by comparing it as ``saas-app provision`` does."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import aiohttp

from saas_app.config import ManagementSettings, load_management_settings
from saas_app.errors import ConfigurationError, LogtoUnavailable
from saas_app.logto import Application, Hook, ManagementClient, ManagementError
from saas_app.operations.deployment import is_private
from saas_app.operations.doctor.check import PROVISION, Check
from saas_app.operations.provisioning import Change, Deployment, Kind, drift, plan, survey

_APPLICATION: Final = frozenset({Kind.APPLICATION, Kind.SECRET})
_WEBHOOK: Final = frozenset({Kind.WEBHOOK})
_CONNECTORS: Final = frozenset({Kind.CONNECTOR, Kind.EMAIL_TEMPLATE})
_SIGN_IN: Final = frozenset({Kind.SIGN_IN_EXPERIENCE})
_TEMPLATE: Final = frozenset(Kind) - _APPLICATION - _WEBHOOK - _CONNECTORS - _SIGN_IN


async def check_provisioned(
    deployment: Deployment, http: aiohttp.ClientSession, *, patience: float
) -> list[Check]:
    """Check the Management API, then everything that provisioning writes. ``patience`` is in seconds."""
    try:
        management = load_management_settings()
    except ConfigurationError as error:
        return [Check("Management API", False, str(error), "set the named settings, see .env.example")]
    client = ManagementClient(management, http, timeout=patience)
    try:
        return [_access(management), *await _compare(client, deployment)]
    except ConfigurationError as error:
        return [_access(management), Check("template", False, str(error), "fix it in Logto Console")]
    except ManagementError as refusal:
        return [Check("Management API", False, str(refusal), _access_remedy(management, refusal))]
    except LogtoUnavailable as failure:
        return [Check("Management API", False, failure.detail, "check Logto's log")]


async def _compare(client: ManagementClient, deployment: Deployment) -> list[Check]:
    found = await survey(client, deployment)
    changes = plan(deployment, found)
    registered = f"{deployment.redirect_uri} is registered, and the stored secret is valid"
    return [
        _summary("application", registered, changes, _APPLICATION),
        _check_backchannel(deployment, found.application),
        _summary("template", "all roles, permissions and scopes are in place", changes, _TEMPLATE),
        await _check_webhook(client, deployment, found.webhook, changes),
        *(_check_sign_in(changes) if deployment.sign_in_methods else ()),
    ]


def _check_sign_in(changes: tuple[Change, ...]) -> tuple[Check, ...]:
    return (
        _summary("connectors", "as declared", changes, _CONNECTORS),
        _summary("sign-in page", "as declared", changes, _SIGN_IN),
    )


def _check_backchannel(deployment: Deployment, application: Application | None) -> Check:
    """Check the URL for sign-outs. Whether Logto may call it depends on settings that only Logto knows."""
    uri, name = deployment.backchannel_logout_uri, "back-channel logout"
    registered = application.oidc_metadata.get("backchannelLogoutUri") if application else None
    if registered != uri:
        return Check(name, False, f"{registered or 'nothing'} is registered, not {uri}", PROVISION)
    found = f"{uri} is registered"
    if is_private(urlsplit(uri).hostname or ""):
        found += (
            "; Logto 1.42 does not call private addresses unless "
            "OIDC_PROVIDER_SSRF_PROTECTION_DISABLED is set"
        )
    return Check(name, True, found)


def _access(management: ManagementSettings) -> Check:
    return Check("Management API", True, f"{management.app_id} has access")


def _access_remedy(management: ManagementSettings, refusal: ManagementError) -> str:
    if refusal.status == 403:
        return f"assign {management.app_id} the role 'Logto Management API access'"
    if refusal.code == "oidc.invalid_target":
        return "correct LOGTO_MANAGEMENT_RESOURCE; Logto Cloud: https://<tenant-id>.logto.app/api"
    if refusal.status == 401 or refusal.code.startswith("oidc."):
        return "correct LOGTO_MANAGEMENT_APP_ID and LOGTO_MANAGEMENT_APP_SECRET"
    return "check Logto's log; Workroom uses the Management API of Logto 1.42"


async def _check_webhook(
    client: ManagementClient, deployment: Deployment, hook: Hook | None, changes: tuple[Change, ...]
) -> Check:
    """Check that the webhook is registered and enabled, and that a test message from Logto arrives."""
    registered = _summary("webhook", f"Logto reaches {deployment.webhook_url}", changes, _WEBHOOK)
    if hook is None or not registered.passed:
        return registered
    try:
        await client.send_test_message(hook)
    except ManagementError as refusal:
        if refusal.status != 422:
            raise
        return Check("webhook", False, *_undelivered(deployment, refusal))
    return registered


def _undelivered(deployment: Deployment, refusal: ManagementError) -> tuple[str, str]:
    """Return what went wrong and the remedy. Logto reports the status of our response, if there was one."""
    data = refusal.data if isinstance(refusal.data, dict) else {}
    status, url = data.get("responseStatus"), deployment.webhook_url
    if status is None:
        return (
            f"Logto cannot reach {url}",
            f"start Workroom, or set APP_URL to a URL that Logto can reach and {PROVISION}",
        )
    if status in (401, 404):
        reason = {401: "rejects Logto's signature", 404: "does not recognize the webhook"}[status]
        return (
            f"Workroom {reason} at {url}: it runs with a different LOGTO_WEBHOOK_SIGNING_KEY, or without one",
            "restart it: saas-app serve --env-file .env",
        )
    return f"{url} returned status {status} to Logto", "check the log of Workroom and the proxy"


def _summary(name: str, passed: str, changes: tuple[Change, ...], kinds: frozenset[Kind]) -> Check:
    different = [change for change in drift(changes) if change.kind in kinds]
    found = "; ".join(
        f"{change.kind} {change.name}: {change.detail or change.action}" for change in different
    )
    return Check(name, not different, found or passed, PROVISION)
