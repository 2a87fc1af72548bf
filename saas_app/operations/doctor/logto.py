"""Checks of Logto that need no credentials: endpoint, issuer and clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import aiohttp

from saas_app.errors import LogtoUnavailable
from saas_app.logto import probe
from saas_app.logto.provider_clock import LEEWAY
from saas_app.operations.doctor.check import Check
from saas_app.text.translation import Sentence, _

_PRECISION: Final = 2  # seconds; the Date header has no fractions
_ENDPOINT: Final = _("endpoint")


async def check_logto(endpoint: str, http: aiohttp.ClientSession) -> list[Check]:
    """Check endpoint, issuer and clock. If Logto does not respond, the remaining checks are left out."""
    if fault := await probe.find_fault(endpoint, http):
        return [
            Check(
                _ENDPOINT,
                False,
                Sentence.joined((endpoint, fault), " "),
                _("start Logto, or correct LOGTO_ENDPOINT"),
            )
        ]
    there = Check(_ENDPOINT, True, _("%(endpoint)s responds", endpoint=endpoint))
    try:
        discovery = await probe.discover(endpoint, http)
    except LogtoUnavailable as failure:
        return [there, Check(_("issuer"), False, failure.detail, _("correct LOGTO_ENDPOINT"))]
    return [there, _issuer(endpoint, discovery), _clock(discovery)]


def has_responded(checks: Iterable[Check]) -> bool:
    """Return whether the endpoint check passed, so that Logto can be checked further."""
    return any(check.name == _ENDPOINT and check.passed for check in checks)


def _issuer(endpoint: str, discovery: probe.Discovery) -> Check:
    matches = discovery.issuer == f"{endpoint}/oidc"
    remedy = _("set LOGTO_ENDPOINT to %(endpoint)s", endpoint=discovery.issuer.removesuffix("/oidc"))
    return Check(
        _("issuer"),
        matches,
        discovery.issuer
        if matches
        else _("%(issuer)s, not %(endpoint)s/oidc", issuer=discovery.issuer, endpoint=endpoint),
        remedy,
    )


def _clock(discovery: probe.Discovery) -> Check:
    ahead = discovery.clock_ahead
    if ahead is None:
        return Check(_("clock"), True, _("unknown: Logto sent no Date header"))
    seconds = f"{abs(ahead):.0f}"
    found = (
        _("Logto's clock is %(seconds)s s ahead of the clock of this machine", seconds=seconds)
        if ahead > 0
        else _("Logto's clock is %(seconds)s s behind the clock of this machine", seconds=seconds)
    )
    if abs(ahead) < _PRECISION:
        found = _("Logto's clock agrees with the clock of this machine")
    if abs(ahead) > LEEWAY:
        found = _(
            "%(found)s; tokens are rejected if the difference exceeds %(leeway)s s",
            found=found,
            leeway=LEEWAY,
        )
    return Check(
        _("clock"),
        abs(ahead) <= LEEWAY,
        found,
        _("synchronize both clocks with NTP: timedatectl set-ntp true"),
    )
