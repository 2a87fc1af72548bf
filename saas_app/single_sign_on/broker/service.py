"""Stands between Logto and the identity providers of companies (decision 32).

Logto 1.42 believes whatever an enterprise connector's provider says. So the provider is Workroom: it sends
the browser on to the company's provider, verifies what that says, and tells Logto only of verified addresses
at domains that the organization holds. Logto never hears of a sign-in that is rejected here. An admin's test
of a connection goes the same way, without Logto.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import structlog

from saas_app.audit.recorder import record
from saas_app.changes.organization_change import Systems
from saas_app.errors import BadRequest, NotFound, SignInFailed
from saas_app.identity.vault import Vault, new_cookie_value
from saas_app.logto import explaining
from saas_app.single_sign_on.broker.claims import claims_for_logto, verified_email
from saas_app.single_sign_on.broker.errands import Assertion, Errand, Errands, LogtoRequest, Tester
from saas_app.single_sign_on.broker.failures import failure_of, note_answer, note_failure
from saas_app.single_sign_on.broker.people import People
from saas_app.single_sign_on.broker.provider_errors import ProviderRefused, client_error
from saas_app.single_sign_on.broker.provider_sign_in import (
    ProviderClient,
    ProviderSignIn,
    Redemption,
)
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.broker.signing import Signer
from saas_app.single_sign_on.changes.testing import note_test
from saas_app.single_sign_on.checked_hosts import IssuerRefused
from saas_app.single_sign_on.proofs import Refusal, find_objection_to, revision_of, trusted_domains
from saas_app.single_sign_on.queries import (
    find_by_connector,
    find_connection,
    find_secret,
    is_allowed,
    list_held_domains,
)
from saas_app.single_sign_on.rejections import rejection_event
from saas_app.single_sign_on.values import SINCE_CLAIM, Connection
from saas_app.text.translation import Sentence, _

log = structlog.get_logger(__name__)

_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})  # OpenID Connect Core 1.0


@dataclass(frozen=True, slots=True)
class Way:
    """Where to send the browser, and the cookie that binds it to its errand."""

    url: str = field(repr=False)
    browser_cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """The answer of a company's provider. A missing or repeated parameter is empty (RFC 6749 §3.1)."""

    state: str
    code: str = field(repr=False)
    error: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a browser that came back goes: to Logto with a code of ours, or to the page of the test."""

    url: str = field(repr=False)
    is_test: bool


@dataclass(frozen=True, slots=True)
class _Verified:
    """What counts of a provider's answer, by the connection as it is when the answer is there.

    ``email`` is an address for which the provider may speak: at one of the domains ``trusted``.
    """

    connection: Connection
    claims: Mapping[str, Any] = field(repr=False)
    email: str
    trusted: frozenset[str]


class Broker:
    """The way from Logto to a company's provider and back. ``self_service``: all may connect one."""

    def __init__(
        self,
        systems: Systems,
        vault: Vault,
        registration: Registration,
        provider: ProviderSignIn,
        *,
        self_service: bool,
    ) -> None:
        self._systems = systems
        self._vault = vault
        self._provider = provider
        self._self_service = self_service
        self._errands = Errands(systems.work, vault)
        self.people = People(systems.work, systems.management)
        self.registration = registration
        self.signer = Signer(vault)

    async def depart(self, connector_id: str, asked: Mapping[str, str], browser_cookie: str) -> Way:
        """Send a browser that comes from Logto to the company's provider.

        ``asked`` are the parameters of Logto's authorization request. Raises :class:`NotFound`,
        :class:`BadRequest` for a request that Logto would not make, and :class:`SignInFailed`.
        """
        connection = await find_by_connector(self._systems.work, connector_id)
        if connection is None:
            raise NotFound(_("This connection to an identity provider does not exist."))
        expected = {
            "client_id": connector_id,
            "redirect_uri": self.registration.logto_callback(connector_id),
            "response_type": "code",
        }
        state, nonce = asked.get("state"), asked.get("nonce")
        if any(asked.get(name) != value for name, value in expected.items()) or not (state and nonce):
            raise BadRequest(_("This is not a sign-in that Logto began."))
        await self._require_open(connection)
        prompt = asked.get("prompt", "")
        request = LogtoRequest(state, nonce)
        return await self._send(connection, request, browser_cookie, prompt if prompt in _PROMPTS else "")

    async def depart_for_test(self, connection: Connection, tester: Tester, browser_cookie: str) -> Way:
        """Send an admin to their company's provider, to test it. Raises :class:`SignInFailed`."""
        try:
            return await self._send(connection, tester, browser_cookie, "")
        except SignInFailed as failure:
            raise _of_test(failure, tester) from None

    async def come_back(
        self, connector_id: str, callback: Callback, browser_cookie: str, present: str | None
    ) -> Landing:
        """Verify what a company's provider says, and return where the browser goes.

        ``present`` is who is signed in here. Raises :class:`SignInFailed` and :class:`LogtoUnavailable`.
        """
        errand = await self._errands.take(callback.state, browser_cookie)
        if errand is None or errand.connector_id != connector_id:
            raise SignInFailed(
                _("This sign-in has already been used, has expired, or was started in another browser.")
            )
        if isinstance(errand.purpose, LogtoRequest):
            return await self._answer_logto(errand, errand.purpose, callback)
        try:
            return await self._finish_test(errand, errand.purpose, callback, present)
        except SignInFailed as failure:
            raise _of_test(failure, errand.purpose) from None

    async def redeem(self, connector_id: str, code: str) -> str | None:
        """Return the ID token for a code of ours, or None if there is none or what it says no longer counts.

        The caller has authenticated the connector.
        """
        assertion = await self._errands.redeem(code, connector_id)
        if assertion is None or not await self._counts_still(assertion):
            return None
        return self.signer.sign(assertion.claims)

    async def _counts_still(self, assertion: Assertion) -> bool:
        """Return whether the connection is on as it was, and may speak for the address."""
        connection = await find_by_connector(self._systems.work, assertion.connector_id)
        said = assertion.claims
        if connection is None or said.get(SINCE_CLAIM) != connection.since:
            return False
        organization_id = connection.organization_id
        async with self._systems.work.reading(organization_id) as db:
            allowed = await is_allowed(db, organization_id, self_service=self._self_service)
            trusted = trusted_domains(connection, await list_held_domains(db, organization_id))
        return allowed and find_objection_to(said["email"], trusted) is None

    async def _send(
        self, connection: Connection, purpose: LogtoRequest | Tester, browser_cookie: str, prompt: str
    ) -> Way:
        client = await self._client_at(connection)
        state, cookie = new_cookie_value(), browser_cookie or new_cookie_value()
        try:
            departure = await self._provider.depart(
                client,
                redirect_uri=self.registration.redirect_uri(connection.connector_id),
                state=state,
                prompt=prompt,
            )
        except IssuerRefused as refused:
            await note_failure(self._systems.work, connection, failure_of(refused))
            raise _failed(connection, refused.reason) from None
        errand = Errand(
            connection.organization_id,
            connection.connector_id,
            revision_of(connection),
            departure.nonce,
            departure.code_verifier,
            purpose,
        )
        await self._errands.begin(state, cookie, errand)
        return Way(departure.url, cookie)

    async def _answer_logto(self, errand: Errand, asked: LogtoRequest, callback: Callback) -> Landing:
        """Return the way to Logto, with a code for what may be said of the person."""
        verified = await self._verify(errand, callback)
        connection, email = verified.connection, verified.email
        issuer = self.registration.issuer(errand.connector_id)
        with explaining():
            subject = await self.people.find_subject(
                connection.organization_id, issuer, verified.claims["sub"], email, verified.trusted
            )
        if isinstance(subject, Refusal):
            await self._refuse(connection, subject, email)
        said = {
            "iss": issuer,
            "aud": errand.connector_id,
            "sub": subject,
            "nonce": asked.nonce,
            "email": email,
            "email_verified": True,
            SINCE_CLAIM: connection.since,
            **claims_for_logto(verified.claims, group_claim=connection.group_claim),
        }
        code = await self._errands.promise(Assertion(errand.connector_id, said))
        return Landing(self.registration.answer(errand.connector_id, code, asked.state), is_test=False)

    async def _finish_test(
        self, errand: Errand, tester: Tester, callback: Callback, present: str | None
    ) -> Landing:
        if present != tester.user_id:
            raise SignInFailed(
                _("You are no longer signed in to Workroom as the person who began the test. Start it again.")
            )
        verified = await self._verify(errand, callback)
        if verified.email.casefold() != tester.email.casefold():
            await self._refuse(verified.connection, Refusal.NOT_THE_TESTER, verified.email)
        await note_test(self._systems, errand.organization_id, tester, errand.revision, verified.claims)
        return Landing(tester.back, is_test=True)

    async def _verify(self, errand: Errand, callback: Callback) -> _Verified:
        """Return what counts of the provider's answer. Raises :class:`SignInFailed`.

        The provider can take its time with the answer, so the connection is looked at before and after.
        """
        claims = await self._ask(await self._find_unchanged(errand), errand, callback)
        connection = await self._find_unchanged(errand)
        await note_answer(self._systems.work, connection)
        async with self._systems.work.reading(connection.organization_id) as db:
            trusted = trusted_domains(connection, await list_held_domains(db, connection.organization_id))
        email = verified_email(claims)
        objection = find_objection_to(email, trusted)
        if email is None or objection is not None:
            await self._refuse(connection, objection or Refusal.NO_ADDRESS, email)
        return _Verified(connection, claims, email, trusted)

    async def _ask(self, connection: Connection, errand: Errand, callback: Callback) -> dict[str, Any]:
        """Return the verified claims of the provider. Raises :class:`SignInFailed`."""
        redemption = Redemption(
            callback.code,
            callback.issuer or None,
            self.registration.redirect_uri(errand.connector_id),
            errand.nonce,
            errand.code_verifier,
        )
        try:
            if callback.error:
                raise client_error(callback.error)
            return await self._provider.come_back(await self._client_at(connection), redemption)
        except (ProviderRefused, IssuerRefused) as refused:
            organization_id = connection.organization_id
            log.info("a provider signed nobody in", reason=refused.kind, organization_id=organization_id)
            await note_failure(self._systems.work, connection, failure_of(refused))
            raise _failed(connection, refused.reason) from None

    async def _client_at(self, connection: Connection) -> ProviderClient:
        """Return our client at the provider. Raises :class:`SignInFailed` if it is not known."""
        async with self._systems.work.reading(connection.organization_id) as db:
            sealed = await find_secret(db)
        if not connection.issuer:
            raise SignInFailed(Refusal.OFF.advice)
        secret = None if sealed is None else self._vault.find(sealed)
        if secret is None:  # no key fits, or the organization was imported, without secrets
            log.error("the secret of a provider is unknown", organization_id=connection.organization_id)
            raise SignInFailed(
                _(
                    "Workroom can no longer read the client secret of your identity provider. An admin of "
                    "your organization has to enter it again."
                )
            )
        return ProviderClient(connection.issuer, connection.client_id, secret, connection.scopes)

    async def _find_unchanged(self, errand: Errand) -> Connection:
        """Return the connection of an errand. Raises :class:`SignInFailed` if it was changed meanwhile.

        Only a test may use one that is off.
        """
        async with self._systems.work.reading(errand.organization_id) as db:
            found = await find_connection(db, errand.organization_id)
        if found is None:
            raise SignInFailed(Refusal.REMOVED.advice)
        if revision_of(found) != errand.revision:
            raise _failed(found, Refusal.CHANGED.advice)
        if isinstance(errand.purpose, LogtoRequest):
            await self._require_open(found)
        return found

    async def _require_open(self, connection: Connection) -> None:
        """Raise :class:`SignInFailed` unless the connection is on, and the operator allows it."""
        organization_id = connection.organization_id
        async with self._systems.work.reading(organization_id) as db:
            allowed = await is_allowed(db, organization_id, self_service=self._self_service)
        if not (connection.is_on and allowed):
            raise SignInFailed(Refusal.OFF.advice)

    async def _refuse(self, connection: Connection, refusal: Refusal, email: str | None) -> NoReturn:
        """Tell the organization what its provider said, and raise :class:`SignInFailed`."""
        organization_id = connection.organization_id
        log.warning("a provider was not believed", reason=refusal.value, organization_id=organization_id)
        async with self._systems.work.writing(organization_id) as db:
            record(db, rejection_event(connection, refusal, email=email))
        raise _failed(connection, refusal.advice)


def _failed(connection: Connection, reason: Sentence) -> SignInFailed:
    """Return the failure of a sign-in that may succeed another time."""
    return SignInFailed(reason, connector_id=connection.connector_id)


def _of_test(failure: SignInFailed, tester: Tester) -> SignInFailed:
    failure.title = _("The test failed")
    failure.is_test = True
    failure.next_path = tester.back
    return failure
