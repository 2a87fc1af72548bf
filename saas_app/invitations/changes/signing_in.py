"""Signs in the person whose address received an invitation's email, with the link in it (decision 30).

Each link signs in once. It is claimed before Logto is asked for anything, so of several requests at once only
one signs in. If Logto creates no one-time token, or the browser is not sent there, the claim is given back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from saas_app.audit.recorder import Action
from saas_app.changes.organization_change import Systems
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import LogtoUnavailable
from saas_app.identity.logto_messages import SignInOptions
from saas_app.identity.standing import Workroom
from saas_app.invitations import queries
from saas_app.invitations.changes.pending import send_new_link
from saas_app.invitations.links import InvitationLinks, Proof
from saas_app.invitations.service import find_account
from saas_app.invitations.values import InvitationState, NotSent, state_of
from saas_app.logto import Invitation, ManagementClient, ManagementError, explaining
from saas_app.text.addresses import spellings
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

TOKEN_LIFETIME: Final = 300
"""Seconds in which a browser must get from our page through Logto's, before its one-time token expires."""

# If somebody else is signed in to Logto in this browser, the invited person must still sign in.
_PROMPT: Final = "login consent"


@asynccontextmanager
async def signing_in(systems: Systems, proof: Proof) -> AsyncIterator[SignInOptions | None]:
    """Provide the options with which the person signs in, or None if the link no longer signs in.

    Send the browser to Logto within the block. If that fails, the link can be used again. The options have no
    one-time token if the identity provider of the person's company decides, or if Logto creates none: the
    person then signs in as usual, with the address filled in, and the link can be used again.
    """
    if not await _claim(systems.work, proof):
        yield None
        return
    is_used = False
    try:
        options = await _find_options(systems.management, proof)
        if options is None:
            await _forget(systems.work, proof)
        yield options
        is_used = options is not None and bool(options.one_time_token)
    finally:
        if not is_used:
            await _give_back(systems.work, proof)


async def renew_link(systems: Systems, links: InvitationLinks, proof: Proof) -> None:
    """Email a new link to the invited address, for a reader with an older link.

    Nothing tells whether the invitation is still open. If it is not, no email is sent. Raises
    :class:`LimitReached`, :class:`NotSent`, :class:`Busy` and :class:`LogtoUnavailable`.
    """
    limits = systems.limits
    async with limits.spend_unless_failed((limits.new_links, proof.address.lower())):
        with explaining():
            found = await _find_pending(systems.management, proof)
        if found is None:
            return
        async with systems.by(Workroom(found.organization_id)).alone() as turn:
            invitation = await _find_pending(turn.management, proof)
            if invitation is None:
                return
            try:
                await send_new_link(turn, invitation, links, Action.INVITATION_RENEW_LINK)
            except ManagementError as refusal:
                log.warning("no new link was sent", status=refusal.status, logto_code=refusal.code)
                raise NotSent(
                    _(
                        "Logto did not accept the email. Try again in ten minutes, or sign in with the "
                        "address that was invited."
                    )
                ) from None


async def _find_options(management: ManagementClient, proof: Proof) -> SignInOptions | None:
    """Return the options for a link that was claimed, or None if the invitation is no longer open."""
    try:
        invitation = await _find_pending(management, proof)
        if invitation is None:
            return None
        account = await find_account(management, proof.address)
        address = (account and account.email) or proof.address
        if await _has_own_provider(management, address):
            return SignInOptions(
                login_hint=address, prompt=_PROMPT, organization_id=invitation.organization_id
            )
        token = await management.create_one_time_token(address, seconds=TOKEN_LIFETIME)
        log.info("an emailed link signs in", invitation_id=invitation.id)
    except (ManagementError, LogtoUnavailable) as error:
        log.warning("an invited person gets no one-time token", reason=type(error).__name__)
        return SignInOptions(login_hint=proof.address, prompt=_PROMPT)
    return SignInOptions(
        login_hint=address,
        one_time_token=token,
        prompt=_PROMPT,
        organization_id=invitation.organization_id,
    )


async def _find_pending(management: ManagementClient, proof: Proof) -> Invitation | None:
    found = await management.find_invitation(proof.invitation_id)
    is_pending = found is not None and state_of(found) is InvitationState.PENDING
    return found if is_pending else None


async def _has_own_provider(management: ManagementClient, address: str) -> bool:
    """Return whether a company's identity provider signs in the people with addresses at this domain.

    Logto 1.42 then rejects passwords and codes, but would accept a one-time token.
    """
    experience = await management.get_sign_in_experience()
    if not experience.get("singleSignOnEnabled"):
        return False
    domains = {spelling.rpartition("@")[2].lower() for spelling in spellings(address)}
    return not domains.isdisjoint(await management.list_sso_domains())


async def _claim(work: UnitOfWork, proof: Proof) -> bool:
    async with work.writing(proof.organization_id) as db:
        return await queries.claim_link(db, proof, utc_now())


async def _forget(work: UnitOfWork, proof: Proof) -> None:
    async with work.writing(proof.organization_id) as db:
        await queries.forget_link(db, proof.invitation_id)


async def _give_back(work: UnitOfWork, proof: Proof) -> None:
    async with work.writing(proof.organization_id) as db:
        await queries.give_link_back(db, proof)
