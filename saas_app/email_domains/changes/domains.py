"""Claims, verifies and removes email domains.

* A claim changes nothing in Logto. People join by a domain only once it is verified.
* A domain is verified by a TXT record, or by the caller's own verified address at that domain.
* A domain belongs to one organization at a time. A unique index decides between two that verify it at once.
* A TXT record outranks an address: an organization that controls the DNS takes the domain from one that only
  had a person with an address there. A domain held by a TXT record stays while that record exists.
* Nobody can let people join with roles that they could not assign themselves.
* A domain that is no longer proved by a TXT record leaves the organization's single sign-on
  (:mod:`saas_app.single_sign_on.changes.lost_domains`).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy.exc import IntegrityError

from saas_app.audit.recorder import Action, AuditEntry, Target, record
from saas_app.changes.organization_change import MemberChange, OrganizationChange
from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.email_domains import queries
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.email_domains.names import NotADomain, claimable_domain, domain_of, find_ascii_domain
from saas_app.email_domains.queries import Claim
from saas_app.email_domains.service import record_name, record_value
from saas_app.errors import Invalid, LogtoUnavailable
from saas_app.identity.standing import Caller, Workroom
from saas_app.logto import ManagementError
from saas_app.models import DomainProof
from saas_app.organizations.service import read_joining
from saas_app.organizations.values import OrganizationGone
from saas_app.single_sign_on.changes.lost_domains import Loss, find_loss
from saas_app.text.domains import shown_domain
from saas_app.text.translation import Sentence, _, ngettext
from saas_app.text.visible import isolated

MAX_CLAIMS: Final = 20  # domains an organization may claim
_OFF_THE_LIST: Final = _("This domain is no longer on the list. Add it again first.")


class NotProved(Invalid):
    """The domain could not be verified. The text says what was found, and what to do."""

    code, title = "domain-not-verified", _("The domain is not verified")

    def __init__(self, reason: Sentence) -> None:
        super().__init__(reason, fields={"domain": reason})


async def claim_domain(change: MemberChange, domain: str) -> None:
    """Record a claim of a domain, and create the value of its TXT record. Raises :class:`Invalid`."""
    async with change.alone() as turn:
        with turn.explain(OrganizationGone):
            await turn.management.get_organization(turn.organization_id)
        async with turn.work.reading(turn.organization_id) as db:
            count = len(await queries.list_claims(db, turn.organization_id))
        if count >= MAX_CLAIMS:
            raise Invalid(
                fields={"domain": _("An organization can list at most %(count)s domains.", count=MAX_CLAIMS)}
            )
        async with turn.work.writing(turn.organization_id) as db:
            token = secrets.token_urlsafe(24)
            if not await queries.add_claim(db, turn.organization_id, domain, token, utc_now()):
                already = _("%(domain)s is already on the list.", domain=_shown(domain))
                raise Invalid(fields={"domain": already})
            record(db, _event(turn, Action.DOMAIN_CLAIM, domain, after={"verified": False}))


async def verify_by_dns(change: MemberChange, resolver: TxtResolver, domain: str) -> None:
    """Verify a claimed domain by its TXT record.

    Raises :class:`NotProved`, :class:`Invalid` and :class:`LimitReached`.
    """
    claim = await _get_claim(change, domain)
    await change.count()  # before DNS is asked
    name, value = record_name(domain), record_value(claim.token)
    answer = await resolver.look_up(name)
    if answer.problem:
        raise NotProved(
            _(
                "%(problem)s Nothing was changed. Try again in a few minutes.",
                problem=answer.problem,
            )
        )
    if value not in answer.values:
        found = _found_instead(name, len(answer.values))
        raise NotProved(
            _(
                "%(found)s Nothing was changed. A new record can take several hours to become visible.",
                found=found,
            )
        )
    await _take_over(change, domain, answer.values)
    await _verify(change, domain, DomainProof.DNS)


async def verify_by_address(change: MemberChange, claims: Mapping[str, Any], domain: str) -> None:
    """Verify a claimed domain by the caller's own address. ``claims`` are those of their ID token.

    Raises :class:`NotProved` unless the account at Logto currently has a verified address at exactly this
    domain. An address from a social sign-in does not count.
    """
    await _get_claim(change, domain)
    with change.explain(OrganizationGone):
        user = await change.management.get_user(change.caller.principal.subject)
    is_verified = claims.get("email_verified") is True and domain_of(claims.get("email")) == domain
    if domain_of(user.email) != domain or not is_verified:
        raise NotProved(
            _(
                "Your account has no verified email address at %(domain)s. Use the TXT record, or sign in "
                "again if you have just added the address.",
                domain=_shown(domain),
            )
        )
    if user.email in user.linked_emails:
        raise NotProved(
            _(
                "Your email address came from a social sign-in, which does not prove that you own the "
                "domain. Use the TXT record instead."
            )
        )
    await _verify(change, domain, DomainProof.ADDRESS)


async def remove_domain(change: MemberChange, name: str) -> None:
    """Remove a domain, so that nobody joins by it. Members stay. Removing it again changes nothing.

    ``name`` may be a domain that was set in Logto, in any spelling.
    """
    domain = find_ascii_domain(name) or name
    async with change.alone() as turn:
        with turn.explain(OrganizationGone):
            in_logto = (await read_joining(turn)).domains
            matching = [found for found in in_logto if found == name or find_ascii_domain(found) == domain]
            async with turn.work.reading(turn.organization_id) as db:
                claim = await queries.find_claim(db, turn.organization_id, domain)
            if claim is None and not matching:
                return
            was_verified = claim is not None and claim.is_verified
            loss = await find_loss(turn, [domain], "the email domain was removed")
            await turn.carry_out(
                _event(turn, Action.DOMAIN_REMOVE, domain, before={"verified": was_verified}),
                lambda: remove_from_logto(turn, matching),
                before=loss.take_out,
                also=lambda db: queries.remove_claim(db, turn.organization_id, domain),
                on_refusal=loss.give_back,
            )
            await loss.tell_logto()


async def lapse(turn: OrganizationChange[Workroom], claim: Claim, reason: str) -> Loss:
    """Mark a verified domain as not verified, in Logto first. Returns what single sign-on lost by it."""

    async def release(db: WritingSession) -> None:
        await queries.release(db, turn.organization_id, claim.domain)

    after = {"verified": False, "reason": reason}
    loss = await find_loss(turn, [claim.domain], reason)
    await turn.carry_out(
        _event(turn, Action.DOMAIN_LAPSE, claim.domain, {"verified": True}, after),
        lambda: remove_from_logto(turn, [claim.domain]),
        before=loss.take_out,
        also=release,
        on_refusal=loss.give_back,
    )
    await loss.tell_logto()
    return loss


async def remove_from_logto(turn: OrganizationChange[Caller], names: Collection[str]) -> None:
    """Remove domains of an organization in Logto. Domains that are not set there are skipped."""
    for name in names:
        try:
            await turn.management.remove_joining_domain(turn.organization_id, name)
        except ManagementError as refusal:
            if refusal.status != 404:
                raise


async def _get_claim(change: MemberChange, domain: str) -> Claim:
    async with change.work.reading(change.organization_id) as db:
        claim = await queries.find_claim(db, change.organization_id, domain)
    if claim is None:
        raise Invalid(fields={"domain": _OFF_THE_LIST})
    try:
        claimable_domain(domain)
    except NotADomain as reason:  # it became public after it was claimed
        raise NotProved(reason.reason) from None
    return claim


async def _take_over(change: MemberChange, domain: str, found: Collection[str]) -> None:
    """Take the domain from an organization that holds it without a TXT record. Raises :class:`NotProved`."""
    async with change.work.reading(key=keys.of_domain(domain)) as db:
        holder = await queries.find_holder(db, domain)
    if holder is None or holder.organization_id == change.organization_id:
        return
    if holder.proof is DomainProof.DNS and record_value(holder.token) in found:
        raise NotProved(
            _(
                "Another organization has verified %(domain)s. Remove that organization’s TXT record from "
                "DNS, then verify again.",
                domain=_shown(domain),
            )
        )
    async with change.by(Workroom(holder.organization_id)).alone() as turn:
        await change.require_standing()
        async with change.work.reading(key=keys.of_domain(domain)) as db:
            now = await queries.find_holder(db, domain)
        if now == holder:
            await lapse(turn, holder, "another organization proved it with a TXT record")


async def _verify(change: MemberChange, domain: str, proof: DomainProof) -> None:
    async with change.alone() as turn:
        with turn.explain(OrganizationGone):
            await turn.management.get_organization(turn.organization_id)
            joining = await read_joining(turn)
            turn.caller.require_assignable(joining.role_names)
            before = await _get_claim(turn, domain)
            loss = await _hold(turn, domain, proof)
            await loss.tell_logto()
            after = {"verified": True, "proof": proof.value, "roles": sorted(joining.role_names)}
            event = _event(turn, Action.DOMAIN_VERIFY, domain, {"verified": before.is_verified}, after)
            try:
                await turn.carry_out(event, lambda: _add_to_logto(turn, domain, joining.domains))
            except LogtoUnavailable:
                raise  # it is unknown whether Logto has it; the next check finds out
            except Exception:
                if not before.is_verified:
                    async with turn.work.writing(turn.organization_id) as db:
                        await queries.release(db, turn.organization_id, domain)
                raise


async def _hold(change: MemberChange, domain: str, proof: DomainProof) -> Loss:
    """Take the domain, unless another organization was first. The unique index decides.

    Returns what single sign-on lost: a domain that was proved by DNS and is now proved by an address.
    """
    subject = change.caller.principal.subject
    loss = Loss(change, "the email domain is proved by an address")
    if proof is not DomainProof.DNS:
        loss = await find_loss(change, [domain], loss.reason)
    try:
        async with change.work.writing(change.organization_id) as db:
            if not await queries.hold(db, change.organization_id, domain, proof, subject, utc_now()):
                raise Invalid(fields={"domain": _OFF_THE_LIST})
            await loss.take_out(db)
    except IntegrityError:
        raise NotProved(
            _(
                "Another organization has verified %(domain)s. To take over the domain, verify it with a "
                "TXT record.",
                domain=_shown(domain),
            )
        ) from None
    return loss


async def _add_to_logto(change: MemberChange, domain: str, in_logto: Collection[str]) -> None:
    if domain not in in_logto:
        await change.management.add_joining_domain(change.organization_id, domain)


def _found_instead(name: str, count: int) -> Sentence:
    """Say how many TXT records were found, of which none proves the domain."""
    if not count:
        return _("No TXT record was found at %(name)s.", name=isolated(name))
    if count == 1:
        return _("One TXT record was found at %(name)s, but none with the value below.", name=isolated(name))
    return ngettext(
        "%(num)s TXT record was found at %(name)s, but none with the value below.",
        "%(num)s TXT records were found at %(name)s, but none with the value below.",
        count,
        name=isolated(name),
    )


def _shown(domain: str) -> str:
    return isolated(shown_domain(domain))


def _event(
    change: OrganizationChange[Caller],
    action: Action,
    domain: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    return change.event(action, Target("domain", domain, shown_domain(domain)), before, after)
