"""Checks an organization's email domains again, as a part of ``saas-app reconcile``.

People join only by domains that are verified here and still proved. A domain that was set in Logto's Console,
or before domains had to be verified, is removed from Logto and listed as not verified. A domain whose TXT
record is missing keeps working for a grace period after the first check that missed it, or for ten times as
long if the DNS does not answer. The same applies to a domain proved by an address, when that person loses the
address or the permission to change the organization.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.email_domains import queries
from saas_app.email_domains.changes.domains import MAX_CLAIMS, lapse, remove_from_logto
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.email_domains.names import domain_of, find_claimable_domain
from saas_app.email_domains.queries import Claim
from saas_app.email_domains.service import UNREACHABLE_FACTOR, record_name, record_value
from saas_app.identity.standing import Workroom
from saas_app.logto import LogtoUser
from saas_app.models import DomainProof
from saas_app.single_sign_on.changes.lost_domains import Loss
from saas_app.text.domains import shown_domain
from saas_app.text.translation import Sentence, _


@dataclass(frozen=True, slots=True)
class DomainNews:
    """The result of a check, for the operator. ``changed`` says whether the check changed something."""

    what: Sentence
    changed: bool


@dataclass(frozen=True, slots=True)
class _Finding:
    """Why the proof was not found, or "". ``is_certain`` means that it is gone, not just unreachable."""

    problem: str = ""
    is_certain: bool = True


class DomainChecks:
    """Checks the domains of one organization at a time."""

    def __init__(self, systems: Systems, resolver: TxtResolver, grace: timedelta) -> None:
        self._systems = systems
        self._resolver = resolver
        self._grace = grace

    async def run(self, organization_id: str, stewards: Collection[LogtoUser]) -> list[DomainNews]:
        """Check the domains of an organization, and return what to report.

        ``stewards`` are the members who may change its settings.
        Raises what calls to Logto raise, and :class:`saas_app.errors.Busy`.
        """
        claims = await self._claims(organization_id)
        verified = [claim for claim in claims if claim.is_verified]
        findings = await asyncio.gather(*(self._find_proof(claim, stewards) for claim in verified))
        async with self._systems.by(Workroom(organization_id)).alone() as turn:
            news = await self._compare_with_logto(turn)
            unchanged = {claim.domain: claim for claim in await self._claims(organization_id)}
            for claim, finding in zip(verified, findings, strict=True):
                if unchanged.get(claim.domain) == claim:
                    news += await self._judge(turn, claim, finding)
        return news

    async def _claims(self, organization_id: str) -> list[Claim]:
        async with self._systems.work.reading(organization_id) as db:
            return await queries.list_claims(db, organization_id)

    async def _find_proof(self, claim: Claim, stewards: Collection[LogtoUser]) -> _Finding:
        if find_claimable_domain(claim.domain) is None:  # it became public after it was claimed
            return _Finding(_("organizations cannot claim this domain."))
        if claim.proof is DomainProof.ADDRESS:
            holds = any(
                person.id == claim.proved_by
                and domain_of(person.email) == claim.domain
                and not person.is_suspended
                for person in stewards
            )
            lost = _("the person who verified it by email no longer has the address or the role.")
            return _Finding("" if holds else lost)
        answer = await self._resolver.look_up(record_name(claim.domain))
        if answer.problem:
            return _Finding(answer.problem, is_certain=False)
        is_found = record_value(claim.token) in answer.values
        missing = _("the TXT record at %(name)s is missing.", name=record_name(claim.domain))
        return _Finding("" if is_found else missing)

    async def _compare_with_logto(self, turn: OrganizationChange[Workroom]) -> list[DomainNews]:
        """End the effect of domains that are not both verified here and set in Logto."""
        in_logto = await turn.management.list_joining_domains(turn.organization_id)
        claims = await self._claims(turn.organization_id)
        verified = {claim.domain: claim for claim in claims if claim.is_verified}
        unverified = [name for name in in_logto if name not in verified]
        unset = [claim for domain, claim in verified.items() if domain not in in_logto]
        return [
            *[await self._remove_unverified(turn, name, len(claims)) for name in unverified],
            *[news for claim in unset for news in await self._lapse_unset(turn, claim)],
        ]

    async def _remove_unverified(
        self, turn: OrganizationChange[Workroom], name: str, count: int
    ) -> DomainNews:
        """Remove a domain from Logto, and list it as not verified if it can be claimed.

        ``count`` is the number of domains that the organization had claimed before.
        """
        domain = find_claimable_domain(name)
        target = Target("domain", name, shown_domain(name))

        async def list_as_unverified(db: WritingSession) -> None:
            if domain is not None and count < MAX_CLAIMS:
                token = secrets.token_urlsafe(24)
                await queries.add_claim(db, turn.organization_id, domain, token, utc_now())

        await turn.carry_out(
            turn.event(Action.DOMAIN_LAPSE, target, after={"reason": "set in Logto, never verified"}),
            lambda: remove_from_logto(turn, [name]),
            also=list_as_unverified,
        )
        return DomainNews(
            _(
                "%(domain)s was set in Logto without being verified. Nobody can join through it until "
                "an admin verifies it in the settings",
                domain=shown_domain(name),
            ),
            changed=True,
        )

    async def _lapse_unset(self, turn: OrganizationChange[Workroom], claim: Claim) -> list[DomainNews]:
        loss = await lapse(turn, claim, "it is not set in Logto")
        text = _("%(domain)s is not set in Logto, so it has no effect", domain=shown_domain(claim.domain))
        return [DomainNews(text, changed=True), *_news_of(loss)]

    async def _judge(
        self, turn: OrganizationChange[Workroom], claim: Claim, finding: _Finding
    ) -> list[DomainNews]:
        now, shown = utc_now(), shown_domain(claim.domain)
        failing_since = (claim.failing_since or now) if finding.problem else None
        async with self._systems.work.writing(claim.organization_id) as db:
            await queries.note_check(db, claim.organization_id, claim.domain, now, failing_since)
        if failing_since is None:
            return []
        grace = self._grace * (1 if finding.is_certain else UNREACHABLE_FACTOR)
        if now >= failing_since + grace:
            loss = await lapse(turn, claim, str(finding.problem).rstrip("."))
            text = _(
                "%(domain)s: %(problem)s People can no longer join through it",
                domain=shown,
                problem=finding.problem,
            )
            return [DomainNews(text, changed=True), *_news_of(loss)]
        text = _(
            "%(domain)s: %(problem)s It stops working at %(time)s",
            domain=shown,
            problem=finding.problem,
            time=(failing_since + grace).strftime("%Y-%m-%d %H:%M UTC"),
        )
        return [DomainNews(text, changed=False)]


def _news_of(loss: Loss) -> list[DomainNews]:
    if loss.turned_off is None:
        return []
    text = _(
        "single sign-on with %(provider)s was turned off: no domain is left", provider=loss.turned_off.name
    )
    return [DomainNews(text, changed=True)]
