"""Which ``sub`` we say to Logto, so that Logto finds the right account and no other.

Logto 1.42 first looks for an account that is linked to the ``sub``, whatever its address has become, and then
for one with the address. So a ``sub`` that we say is always one of two: that of an account whose own address
is still at the organization's domains, or a new one, which is linked to nothing. Then only the address
counts, which was checked. The person keeps their account when their address at the company changes.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Final

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.logto import LogtoUser, ManagementClient
from saas_app.single_sign_on.broker.queries import KnownPerson, find_person, save_account, save_subject
from saas_app.single_sign_on.proofs import Refusal, trusted_domain

_SUBJECT_BYTES: Final = 24


class People:
    """The people of the organizations' providers."""

    def __init__(self, work: UnitOfWork, management: ManagementClient) -> None:
        self._work = work
        self._management = management

    async def find_subject(
        self, organization_id: str, issuer: str, company_subject: str, email: str, trusted: Collection[str]
    ) -> str | Refusal:
        """Return the ``sub`` for a person, or why there is none.

        ``issuer`` is the one that we are for Logto, ``email`` the address that was checked, and ``trusted``
        are the domains that count. Raises what calls to Logto raise.
        """
        async with self._work.reading(organization_id) as db:
            known = await find_person(db, company_subject)
        if known is not None:
            account = await self._find_account(issuer, known, email)
            if account is not None and trusted_domain(account.email) not in trusted:
                return Refusal.FOREIGN_ACCOUNT
            if account is not None:
                return known.subject
        subject = secrets.token_urlsafe(_SUBJECT_BYTES)
        async with self._work.writing(organization_id) as db:  # of two that are new at once, both are good
            await save_subject(db, organization_id, company_subject, subject)
        return subject

    async def note_account(self, organization_id: str, subject: str, user_id: str) -> None:
        """Note which account Logto has linked to a ``sub`` of ours."""
        async with self._work.writing(organization_id) as db:
            await save_account(db, subject, user_id)

    async def _find_account(self, issuer: str, known: KnownPerson, email: str) -> LogtoUser | None:
        """Return the account that Logto has linked to a known ``sub``, if there is one.

        A person who never came on to us is looked for by the address: Logto may have linked their account.
        """
        if known.user_id is None:
            found = await self._management.find_user_by_email(email)
            account = None if found is None else await self._management.find_user_with_sso(found.id)
        else:
            account = await self._management.find_user_with_sso(known.user_id)
        linked = () if account is None else account.sso_identities
        return (
            account if (issuer, known.subject) in {(one.issuer, one.identity_id) for one in linked} else None
        )
