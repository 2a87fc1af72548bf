"""Checks of what is provisioned in Logto, by comparing it as ``saas-app provision`` does."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import aiohttp

from saas_app.config import ManagementSettings, load_management_settings
from saas_app.errors import ConfigurationError, LogtoUnavailable
from saas_app.logto import Application, Hook, ManagementClient, ManagementError, SsoConnector
from saas_app.operations.deployment import is_private
from saas_app.operations.doctor.check import PROVISION, Check
from saas_app.operations.provisioning import Change, Deployment, Kind, drift, plan, survey
from saas_app.operations.provisioning.declared import SINGLE_SIGN_ON_KEY
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.values import CONNECTOR_MARK
from saas_app.text.translation import Sentence, _, ngettext

_APPLICATION: Final = frozenset({Kind.APPLICATION, Kind.SECRET})
_WEBHOOK: Final = frozenset({Kind.WEBHOOK})
_CONNECTORS: Final = frozenset({Kind.CONNECTOR, Kind.EMAIL_TEMPLATE})
_SIGN_IN: Final = frozenset({Kind.SIGN_IN_EXPERIENCE})
_SINGLE_SIGN_ON: Final = frozenset({Kind.SINGLE_SIGN_ON})
_TEMPLATE: Final = frozenset(Kind) - _APPLICATION - _WEBHOOK - _CONNECTORS - _SIGN_IN - _SINGLE_SIGN_ON


async def check_provisioned(
    deployment: Deployment,
    registration: Registration | None,
    http: aiohttp.ClientSession,
    *,
    patience: float,
) -> list[Check]:
    """Check the Management API, then everything that provisioning writes, and where connectors point.

    ``registration`` is None if single sign-on is not offered. ``patience`` is in seconds.
    """
    try:
        management = load_management_settings()
    except ConfigurationError as error:
        return [
            Check(_("Management API"), False, error.message, _("set the named settings, see .env.example"))
        ]
    client = ManagementClient(management, http, timeout=patience)
    try:
        return [_access(management), *await _compare(client, deployment, registration)]
    except ConfigurationError as error:
        return [_access(management), Check(_("template"), False, error.message, _("fix it in Logto Console"))]
    except ManagementError as refusal:
        return [Check(_("Management API"), False, str(refusal), _access_remedy(management, refusal))]
    except LogtoUnavailable as failure:
        return [Check(_("Management API"), False, failure.detail, _("check Logto's log"))]


async def _compare(
    client: ManagementClient, deployment: Deployment, registration: Registration | None
) -> list[Check]:
    found = await survey(client, deployment)
    changes = plan(deployment, found)
    registered = _(
        "%(redirect_uri)s is registered, and the stored secret is valid", redirect_uri=deployment.redirect_uri
    )
    return [
        _summary(_("application"), registered, changes, _APPLICATION),
        _check_backchannel(deployment, found.application),
        _summary(_("template"), _("all roles, permissions and scopes are in place"), changes, _TEMPLATE),
        await _check_webhook(client, deployment, found.webhook, changes),
        *(_check_sign_in(changes) if deployment.sign_in_methods else ()),
        *(
            (await _check_single_sign_on(client, registration, changes),)
            if deployment.single_sign_on
            else await _check_unwatched_connectors(client)
        ),
    ]


def _check_sign_in(changes: tuple[Change, ...]) -> tuple[Check, ...]:
    return (
        _summary(_("connectors"), _("as declared"), changes, _CONNECTORS),
        _summary(_("sign-in page"), _("as declared"), changes, _SIGN_IN),
    )


async def _check_single_sign_on(
    client: ManagementClient, registration: Registration | None, changes: tuple[Change, ...]
) -> Check:
    """Check that Logto offers it, and that its connectors point at Workroom."""
    found = _("Logto signs people in at the identity providers of their companies")
    check = _summary(_("single sign-on"), found, changes, _SINGLE_SIGN_ON)
    if registration is None or not check.passed:
        return check
    astray = [one.id for one in await _list_own_connectors(client) if not registration.is_ours(one)]
    if not astray:
        return check
    connectors = ", ".join(sorted(astray))
    told = _("these connectors in Logto do not point at Workroom: %(connectors)s", connectors=connectors)
    return Check(_("single sign-on"), False, told, "saas-app reconcile")


async def _check_unwatched_connectors(client: ManagementClient) -> tuple[Check, ...]:
    """Report connectors of organizations through which Logto sends people while nothing here answers."""
    if (await client.get_sign_in_experience()).get(SINGLE_SIGN_ON_KEY) is not True:
        return ()
    connectors = await _list_own_connectors(client)
    if not connectors:
        return ()
    found = ngettext(
        "people of %(num)s organization cannot sign in: a provider is connected, but SINGLE_SIGN_ON is off",
        "people of %(num)s organizations cannot sign in: a provider is connected, but SINGLE_SIGN_ON is off",
        len(connectors),
    )
    return (
        Check(
            _("single sign-on"),
            False,
            found,
            _("set SINGLE_SIGN_ON=true, or turn single sign-on off in Logto Console"),
        ),
    )


async def _list_own_connectors(client: ManagementClient) -> list[SsoConnector]:
    return [one for one in await client.list_sso_connectors() if one.name.startswith(CONNECTOR_MARK)]


def _check_backchannel(deployment: Deployment, application: Application | None) -> Check:
    """Check the URL for sign-outs. Whether Logto may call it depends on settings that only Logto knows."""
    uri, name = deployment.backchannel_logout_uri, _("back-channel logout")
    registered = application.oidc_metadata.get("backchannelLogoutUri") if application else None
    if registered != uri:
        return Check(
            name,
            False,
            _("%(registered)s is registered, not %(uri)s", registered=registered or _("nothing"), uri=uri),
            PROVISION,
        )
    found = _("%(uri)s is registered", uri=uri)
    if is_private(urlsplit(uri).hostname or ""):
        found = _(
            "%(uri)s is registered; Logto 1.42 does not call private addresses unless "
            "OIDC_PROVIDER_SSRF_PROTECTION_DISABLED is set",
            uri=uri,
        )
    return Check(name, True, found)


def _access(management: ManagementSettings) -> Check:
    return Check(_("Management API"), True, _("%(app_id)s has access", app_id=management.app_id))


def _access_remedy(management: ManagementSettings, refusal: ManagementError) -> str:
    if refusal.status == 403:
        return _("assign %(app_id)s the role 'Logto Management API access'", app_id=management.app_id)
    if refusal.code == "oidc.invalid_target":
        return _("correct LOGTO_MANAGEMENT_RESOURCE; Logto Cloud: https://<tenant-id>.logto.app/api")
    if refusal.status == 401 or refusal.code.startswith("oidc."):
        return _("correct LOGTO_MANAGEMENT_APP_ID and LOGTO_MANAGEMENT_APP_SECRET")
    return _("check Logto's log; Workroom uses the Management API of Logto 1.42")


async def _check_webhook(
    client: ManagementClient, deployment: Deployment, hook: Hook | None, changes: tuple[Change, ...]
) -> Check:
    """Check that the webhook is registered and enabled, and that a test message from Logto arrives."""
    registered = _summary(
        _("webhook"),
        _("Logto reaches %(webhook_url)s", webhook_url=deployment.webhook_url),
        changes,
        _WEBHOOK,
    )
    if hook is None or not registered.passed:
        return registered
    try:
        await client.send_test_message(hook)
    except ManagementError as refusal:
        if refusal.status != 422:
            raise
        return Check(_("webhook"), False, *_undelivered(deployment, refusal))
    return registered


def _undelivered(deployment: Deployment, refusal: ManagementError) -> tuple[str, str]:
    """Return what went wrong and the remedy. Logto reports the status of our response, if there was one."""
    data = refusal.data if isinstance(refusal.data, dict) else {}
    status, url = data.get("responseStatus"), deployment.webhook_url
    if status is None:
        return (
            _("Logto cannot reach %(url)s", url=url),
            _(
                "start Workroom, or set APP_URL to a URL that Logto can reach and %(provision)s",
                provision=PROVISION,
            ),
        )
    if status in (401, 404):
        return (
            _(
                "Workroom rejects Logto's signature at %(url)s: it runs with a different "
                "LOGTO_WEBHOOK_SIGNING_KEY, or without one",
                url=url,
            )
            if status == 401
            else _(
                "Workroom does not recognize the webhook at %(url)s: it runs with a different "
                "LOGTO_WEBHOOK_SIGNING_KEY, or without one",
                url=url,
            ),
            _("restart it: saas-app serve --env-file .env"),
        )
    return _("%(url)s returned status %(status)s to Logto", url=url, status=str(status)), _(
        "check the log of Workroom and the proxy"
    )


def _summary(name: str, passed: str, changes: tuple[Change, ...], kinds: frozenset[Kind]) -> Check:
    different = [change for change in drift(changes) if change.kind in kinds]
    found = Sentence.joined(map(_told, different), "; ")
    return Check(name, not different, found or passed, PROVISION)


def _told(change: Change) -> Sentence:
    what = Sentence.joined((change.kind.label, change.name), " ")
    return Sentence.joined((what, change.detail or change.action.label), ": ")
