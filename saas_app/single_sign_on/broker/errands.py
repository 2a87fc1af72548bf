"""Browsers that we have sent to the provider of a company, and what Logto can fetch with our codes.

Both are stored encrypted, with the sign-ins in progress, and can be taken once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.vault import Vault, new_cookie_value
from saas_app.single_sign_on.broker import queries

_AT_COMPANY: Final = timedelta(hours=1)  # as long as an interaction at Logto 1.42
_FETCHED: Final = timedelta(minutes=5)  # Logto's page fetches it at once

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LogtoRequest:
    """What Logto asked for, to be returned with the answer."""

    state: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Tester:
    """The admin who tests a connection: with the address of their account, and the path to return to."""

    user_id: str
    name: str
    email: str
    back: str


@dataclass(frozen=True, slots=True)
class Errand:
    """A browser at the provider of a company: for Logto, or for an admin who tests the connection.

    ``revision`` is that of the connection when it left (:func:`..proofs.revision_of`). ``nonce`` and
    ``code_verifier`` are what the provider's answer must fit.
    """

    organization_id: str
    connector_id: str
    revision: str
    nonce: str
    code_verifier: str = field(repr=False)
    purpose: LogtoRequest | Tester


@dataclass(frozen=True, slots=True)
class Assertion:
    """What we say of a person to Logto, in exchange for a code: the claims of the ID token."""

    connector_id: str
    claims: Mapping[str, Any] = field(repr=False)


_ERRAND: Final[TypeAdapter[Errand]] = TypeAdapter(Errand)
_ASSERTION: Final[TypeAdapter[Assertion]] = TypeAdapter(Assertion)


class Errands:
    """Stores errands by their ``state``, bound to the browser, and assertions by their code."""

    def __init__(self, work: UnitOfWork, vault: Vault) -> None:
        self._work = work
        self._vault = vault

    async def begin(self, state: str, browser_cookie: str, errand: Errand) -> None:
        """Store an errand until the browser comes back."""
        await self._keep(state, browser_cookie, _ERRAND.dump_json(errand), _AT_COMPANY)

    async def take(self, state: str, browser_cookie: str) -> Errand | None:
        """Return the errand of this browser, once, or None."""
        return await self._take(state, browser_cookie, _ERRAND)

    async def promise(self, assertion: Assertion) -> str:
        """Store an assertion, and return the code for it."""
        code = new_cookie_value()
        await self._keep(code, assertion.connector_id, _ASSERTION.dump_json(assertion), _FETCHED)
        return code

    async def redeem(self, code: str, connector_id: str) -> Assertion | None:
        """Return what a code of this connector stands for, once, or None."""
        return await self._take(code, connector_id, _ASSERTION)

    async def _keep(self, key: str, holder: str, content: bytes, lifetime: timedelta) -> None:
        async with self._work.writing() as db:
            await queries.keep(db, key, holder, self._vault.seal(content.decode()), lifetime)

    async def _take(self, key: str, holder: str, kind: TypeAdapter[_T]) -> _T | None:
        async with self._work.writing() as db:
            sealed = await queries.take(db, key, holder)
        content = None if sealed is None else self._vault.find(sealed)
        if content is None:  # unknown, taken, expired, or sealed with a key that was removed
            return None
        try:
            return kind.validate_json(content)
        except ValidationError:  # of another kind, or of another release
            return None
