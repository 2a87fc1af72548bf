"""Checks of Logto that need no credentials: endpoint, issuer and clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import aiohttp

from saas_app.errors import LogtoUnavailable
from saas_app.logto import probe
from saas_app.logto.provider_clock import LEEWAY
from saas_app.operations.doctor.check import Check

_PRECISION: Final = 2  # seconds; the Date header has no fractions
_ENDPOINT: Final = "endpoint"


async def check_logto(endpoint: str, http: aiohttp.ClientSession) -> list[Check]:
    """Check endpoint, issuer and clock. If Logto does not respond, the remaining checks are left out."""
    if fault := await probe.find_fault(endpoint, http):
        return [Check(_ENDPOINT, False, f"{endpoint} {fault}", "start Logto, or correct LOGTO_ENDPOINT")]
    there = Check(_ENDPOINT, True, f"{endpoint} responds")
    try:
        discovery = await probe.discover(endpoint, http)
    except LogtoUnavailable as failure:
        return [there, Check("issuer", False, failure.detail, "correct LOGTO_ENDPOINT")]
    return [there, _issuer(endpoint, discovery), _clock(discovery)]


def has_responded(checks: Iterable[Check]) -> bool:
    """Return whether the endpoint check passed, so that Logto can be checked further."""
    return any(check.name == _ENDPOINT and check.passed for check in checks)


def _issuer(endpoint: str, discovery: probe.Discovery) -> Check:
    matches = discovery.issuer == f"{endpoint}/oidc"
    remedy = f"set LOGTO_ENDPOINT to {discovery.issuer.removesuffix('/oidc')}"
    return Check(
        "issuer", matches, discovery.issuer if matches else f"{discovery.issuer}, not {endpoint}/oidc", remedy
    )


def _clock(discovery: probe.Discovery) -> Check:
    ahead = discovery.clock_ahead
    if ahead is None:
        return Check("clock", True, "unknown: Logto sent no Date header")
    found = (
        f"Logto's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the clock "
        "of this machine"
    )
    if abs(ahead) < _PRECISION:
        found = "Logto's clock agrees with the clock of this machine"
    if abs(ahead) > LEEWAY:
        found += f"; tokens are rejected if the difference exceeds {LEEWAY} s"
    return Check(
        "clock", abs(ahead) <= LEEWAY, found, "synchronize both clocks with NTP: timedatectl set-ntp true"
    )
