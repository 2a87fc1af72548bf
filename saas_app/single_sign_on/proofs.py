"""Decides whether what a company's identity provider said of a person counts. Pure.

Logto 1.42 signs people in to whichever account has the address that a provider asserts, also outside the
domains of the company. So an admin who enters a provider could take over any account. A company is believed
only about addresses at its own domains, before Logto hears of them (:mod:`.broker`), and only about accounts
whose own address is there too (decisions 31 and 32).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from saas_app.email_domains.names import domain_of
from saas_app.logto import LogtoUser, SsoSubmission
from saas_app.single_sign_on.values import Connection
from saas_app.text.translation import Sentence, _


class Refusal(StrEnum):
    """Why a person does not come in. ``advice`` is for them, and says what to do."""

    advice: Sentence

    def __new__(cls, value: str, advice: Sentence) -> Refusal:
        member = str.__new__(cls, value)
        member._value_ = value
        member.advice = advice
        return member

    UNEXPLAINED = (
        "it is not known how they signed in",
        _("Logto did not say how you signed in. Sign in again."),
    )
    REMOVED = (
        "the connection was removed",
        _("Your organization has removed its single sign-on. Sign in another way."),
    )
    OFF = (
        "single sign-on is off",
        _(
            "Your organization has not turned on single sign-on. Sign in another way, or ask an admin of "
            "your organization."
        ),
    )
    OTHER_PROVIDER = (
        "another provider",
        _("Your organization has changed its identity provider since you signed in. Sign in again."),
    )
    EARLIER = (
        "they signed in before single sign-on was last turned on",
        _("Your organization has turned on single sign-on since you signed in. Sign in again."),
    )
    NOT_LINKED = (
        "the identity is not the account’s",
        _("Logto signed you in to an account that is not linked to your company’s. Sign in again."),
    )
    NO_ADDRESS = (
        "no verified address",
        _(
            "Your company’s identity provider did not confirm an email address of yours. Ask the people who "
            "manage it to send your address, and that it is verified."
        ),
    )
    FOREIGN_ADDRESS = (
        "the address is outside the domains",
        _(
            "Your company’s identity provider named an email address outside your organization’s verified "
            "domains. If you have another account there, sign out at the provider first, then try again. If "
            "not, ask an admin of your organization."
        ),
    )
    FOREIGN_ACCOUNT = (
        "the account’s address is outside the domains",
        _(
            "The email address of this account is outside the verified domains of the organization. Sign in "
            "another way."
        ),
    )
    SUSPENDED = ("the account is suspended", _("This account is suspended. Ask the operator."))
    GONE = ("the account does not exist", _("This account no longer exists. Sign in again."))
    NOT_THE_TESTER = (
        "the address is not that of the person who tested",
        _(
            "The identity provider named another email address than that of your account here. Sign out at "
            "the provider, and start the test again. Then sign in there with your own address."
        ),
    )
    CHANGED = (
        "the connection was changed during the sign-in",
        _("Single sign-on was changed while you were at the identity provider. Start again."),
    )


_LONGEST_ADDRESS: Final = 320  # characters
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def find_objection(
    connection: Connection, held: Collection[str], issuer: str, proof: SsoSubmission, account: LogtoUser
) -> Refusal | None:
    """Return why a person who signed in at Logto through a connection must not come in, or None.

    ``held`` are the domains that the organization holds by DNS now, and ``issuer`` is what we are for Logto.
    Whether the connection is on is not looked at.
    """
    if account.is_suspended:
        return Refusal.SUSPENDED
    if not connection.issuer or proof.issuer != issuer:
        return Refusal.OTHER_PROVIDER
    if not is_linked(proof, account):
        return Refusal.NOT_LINKED
    trusted = trusted_domains(connection, held)
    objection = find_objection_to(proof.email, trusted)
    if objection is None and trusted_domain(account.email) not in trusted:
        return Refusal.FOREIGN_ACCOUNT
    return objection


def find_objection_to(email: str | None, trusted: Collection[str]) -> Refusal | None:
    """Return why a provider may not speak for a verified address, or None."""
    if not email:
        return Refusal.NO_ADDRESS
    return None if trusted_domain(email) in trusted else Refusal.FOREIGN_ADDRESS


def trusted_domains(connection: Connection, held: Collection[str]) -> frozenset[str]:
    """Return the domains about whose addresses a provider is believed."""
    return frozenset(connection.domains) & frozenset(held)


def trusted_domain(address: str | None) -> str | None:
    """Return the domain of an address as A-labels, or None if it is not clear where the address ends up."""
    if address is None or len(address) > _LONGEST_ADDRESS or address.count("@") != 1:
        return None
    if address.startswith("@") or any(map(str.isspace, address)):
        return None
    return domain_of(address)


def revision_of(connection: Connection) -> str:
    """Return a text that changes with the provider. A new secret is not known here and does not change it."""
    parts = (
        connection.connector_id,
        connection.issuer,
        connection.client_id,
        connection.scopes,
        connection.created_at.isoformat(),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def last_proof(account: LogtoUser, connector_id: str, issuer: str) -> SsoSubmission | None:
    """Return what an issuer last said of an account, from its identity, which Logto 1.42 does not forget."""
    found = [identity for identity in account.sso_identities if identity.issuer == issuer]
    if not found:
        return None
    newest = max(found, key=lambda identity: identity.updated_at or _LONG_AGO)
    return SsoSubmission(
        connector_id=connector_id,
        issuer=issuer,
        user_id=newest.identity_id,
        email=newest.detail.get("email"),
        claims=newest.detail,
    )


def is_linked(proof: SsoSubmission, account: LogtoUser) -> bool:
    """Return whether the proof names an identity of the account. Logto keeps proofs of other people too.

    The identity may have come through another connector, if two companies use one provider.
    """
    return any(
        (identity.issuer, identity.identity_id) == (proof.issuer, proof.user_id)
        for identity in account.sso_identities
        if proof.user_id
    )
