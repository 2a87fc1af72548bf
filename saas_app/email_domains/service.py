"""The email domains of an organization, as its settings show them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains import queries
from saas_app.email_domains.queries import Claim
from saas_app.models import DomainProof
from saas_app.text.domains import shown_domain

UNREACHABLE_FACTOR: Final = 10
"""How many times longer the grace period is when the DNS does not answer than when the record is missing."""

_RECORD: Final = "_workroom"
_VALUE: Final = "workroom-domain-verification"


class DomainState(StrEnum):
    """The state of a domain in an organization."""

    VERIFIED = "verified"
    UNVERIFIED = "not verified"
    NOT_APPLIED = "not applied"  # verified here, but not set in Logto
    UNCLAIMED = "set in Logto"  # set in Logto, but never verified here


@dataclass(frozen=True, slots=True)
class ListedDomain:
    """A domain in the settings. ``ends_at`` is when it stops working if its proof stays missing."""

    domain: str
    shown: str
    state: DomainState
    record_name: str = ""
    record_value: str = ""
    proof: DomainProof | None = None
    prover_name: str | None = None
    verified_at: datetime | None = None
    failing_since: datetime | None = None
    ends_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether the domain was verified."""
        return self.state in (DomainState.VERIFIED, DomainState.NOT_APPLIED)


def record_name(domain: str) -> str:
    """Return the name of the TXT record that proves a domain."""
    return f"{_RECORD}.{domain}"


def record_value(token: str) -> str:
    """Return the text that the TXT record of a domain must contain."""
    return f"{_VALUE}={token}"


async def list_domains(
    work: UnitOfWork, organization_id: str, in_logto: Collection[str], grace: timedelta
) -> tuple[ListedDomain, ...]:
    """Return the domains an organization has added, and those set in Logto without being added here.

    ``grace`` is how long a domain keeps working while its proof is missing.
    """
    async with work.reading(organization_id) as db:
        claims = await queries.list_claims(db, organization_id)
    known = {claim.domain for claim in claims}
    stray = sorted(name for name in in_logto if name not in known)
    return (
        *(_listed(claim, claim.domain in in_logto, grace) for claim in claims),
        *(ListedDomain(name, shown_domain(name), DomainState.UNCLAIMED) for name in stray),
    )


def _listed(claim: Claim, is_in_logto: bool, grace: timedelta) -> ListedDomain:
    if claim.is_verified:
        state = DomainState.VERIFIED if is_in_logto else DomainState.NOT_APPLIED
    else:
        state = DomainState.UNCLAIMED if is_in_logto else DomainState.UNVERIFIED
    return ListedDomain(
        domain=claim.domain,
        shown=shown_domain(claim.domain),
        state=state,
        record_name=record_name(claim.domain),
        record_value=record_value(claim.token),
        proof=claim.proof,
        prover_name=claim.prover_name,
        verified_at=claim.verified_at,
        failing_since=claim.failing_since,
        ends_at=claim.failing_since + grace if claim.failing_since else None,
    )
