"""Is everything where it should be? Each check says what it found and which command mends it."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from saas_app.config import ManagementSettings, load_management_settings, load_settings
from saas_app.deployment import DeploymentSettings
from saas_app.errors import ConfigurationError, LogtoUnavailable
from saas_app.identity import probe
from saas_app.identity.http import open_http
from saas_app.identity.management import ManagementClient, ManagementError
from saas_app.identity.provisioning import Change, Deployment, Kind, drift, plan, survey
from saas_app.migrate import MigrationState

_SKEW = 30  # seconds of clock skew that token checks forgive
_PRECISION = 2  # seconds; the Date header tells whole ones
_TIMEOUT = 5.0
_PROVISION = "saas-app provision --write-env .env"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. ``remedy`` is the command or the step that mends it."""

    name: str
    passed: bool
    found: str
    remedy: str = ""


def check_settings() -> Check:
    """Whether ``saas-app serve`` would start with this environment."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return Check("settings", False, str(error), _PROVISION)
    return Check("settings", True, f"complete, application {settings.logto_app_id} at {settings.app_url}")


def check_migrations(state: MigrationState) -> Check:
    """Whether the database is at the newest migration."""
    found = f"at {state.current or 'no migration'}, the newest is {state.newest}"
    return Check("database", state.is_newest, found, "saas-app migrate")


async def check_logto(settings: DeploymentSettings, endpoint: str) -> list[Check]:
    """Endpoint, issuer and clock, then what needs the Management API, as far as each can be asked."""
    async with open_http(_TIMEOUT) as http:
        if not await probe.is_ready(endpoint, http):
            return [
                Check("endpoint", False, f"{endpoint} does not answer", "start Logto, or mend LOGTO_ENDPOINT")
            ]
        checks = [Check("endpoint", True, f"{endpoint} answers")]
        try:
            checks += _check_discovery(endpoint, await probe.discover(endpoint, http))
        except LogtoUnavailable as failure:
            checks.append(Check("issuer", False, failure.detail, "mend LOGTO_ENDPOINT"))
        return checks + await _check_template(settings.deployment, http)


def _check_discovery(endpoint: str, discovery: probe.Discovery) -> list[Check]:
    expected = f"{endpoint}/oidc"
    issuer = Check(
        "issuer",
        discovery.issuer == expected,
        discovery.issuer,
        f"set LOGTO_ENDPOINT to {discovery.issuer.removesuffix('/oidc')}",
    )
    if discovery.clock_ahead is None:
        return [issuer]
    ahead = discovery.clock_ahead
    found = f"Logto's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    if abs(ahead) < _PRECISION:
        found = "Logto's clock agrees with ours"
    return [issuer, Check("clock", abs(ahead) <= _SKEW, found, "set both clocks by NTP")]


async def _check_template(deployment: Deployment, http: aiohttp.ClientSession) -> list[Check]:
    try:
        management = load_management_settings()
        client = ManagementClient(management, http, timeout=_TIMEOUT)
        changes = plan(deployment, await survey(client, deployment))
    except ConfigurationError as error:
        return [Check("Management API", False, str(error), "set what is named, see .env.example")]
    except ManagementError as refusal:
        return [Check("Management API", False, str(refusal), _access_remedy(management, refusal))]
    except LogtoUnavailable as failure:
        return [Check("Management API", False, failure.detail, "look at Logto's own log")]
    return [
        Check("Management API", True, f"{management.app_id} may use it"),
        _summary("redirect URIs", deployment.redirect_uri, changes, {Kind.APPLICATION, Kind.SECRET}),
        _summary("webhook", deployment.webhook_url, changes, {Kind.WEBHOOK}),
        _summary(
            "template",
            "every role and permission holds",
            changes,
            set(Kind) - {Kind.APPLICATION, Kind.SECRET, Kind.WEBHOOK},
        ),
    ]


def _access_remedy(management: ManagementSettings, refusal: ManagementError) -> str:
    if refusal.status == 403:
        return f"give {management.app_id} the role 'Logto Management API access'"
    return "mend LOGTO_MANAGEMENT_APP_ID and LOGTO_MANAGEMENT_APP_SECRET"


def _summary(name: str, holds: str, changes: tuple[Change, ...], kinds: set[Kind]) -> Check:
    different = [change for change in drift(changes) if change.kind in kinds]
    found = "; ".join(
        f"{change.kind} {change.name}: {change.detail or change.action}" for change in different
    )
    return Check(name, not different, found or holds, _PROVISION)
