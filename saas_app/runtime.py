"""The services of this process. Each is built when it is first used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

import aiohttp

from saas_app.audit.denials import Denials, Outsiders
from saas_app.changes.organization_change import Systems
from saas_app.config import Settings
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.identity.attempts import Attempts
from saas_app.identity.bearer import VerifiedTokens
from saas_app.identity.credentials.bearer_token import BearerTokens
from saas_app.identity.credentials.browser_session import BrowserSessions
from saas_app.identity.credentials.support_session import SupportSessions
from saas_app.identity.directory import Directory
from saas_app.identity.freshness import Freshness
from saas_app.identity.kept_forms import KeptForms
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.offered_methods import OfferedMethods
from saas_app.identity.personas import Personas, read_people
from saas_app.identity.preferences import PreferenceStore
from saas_app.identity.profiles import Profiles
from saas_app.identity.refresh_claims import RefreshClaims
from saas_app.identity.refresh_turns import RefreshTurns
from saas_app.identity.session_tokens import SessionTokens
from saas_app.identity.sessions import SessionStore
from saas_app.identity.shown_secrets import ShownSecrets
from saas_app.identity.sign_in import SignIn
from saas_app.identity.sign_out import SignOut
from saas_app.identity.support_exchange import SupportApplication, SupportExchange
from saas_app.identity.tenants import Tenants
from saas_app.identity.token_inspection import TokenInspector
from saas_app.identity.token_refresh import TokenRefresher
from saas_app.identity.vault import Vault
from saas_app.invitations.links import InvitationLinks
from saas_app.invitations.waiting import WaitingInvitations
from saas_app.lab.systems import LabSystems
from saas_app.limits.changes import ChangeLimits
from saas_app.limits.lasting_counters import LastingCounters
from saas_app.limits.requests import RateLimits
from saas_app.logto import ManagementClient
from saas_app.notifications.links import EmailLinks
from saas_app.organizations.removal import RemovalWorker
from saas_app.rbac.permissions import Permission
from saas_app.single_sign_on.arrivals import CompanyArrivals
from saas_app.single_sign_on.broker.people import People
from saas_app.single_sign_on.broker.provider_sign_in import SIGN_IN_TIMEOUT, ProviderSignIn
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.broker.service import Broker
from saas_app.single_sign_on.issuers import IssuerInspector
from saas_app.single_sign_on.known_sign_ins import KnownSignIns
from saas_app.single_sign_on.visits import ProviderVisits
from saas_app.support.changes import Desk
from saas_app.webhooks.changes.backchannel import BackchannelLogout

_GRACE: Final = 0.5  # seconds that a request waits beyond the time limit of a call to Logto
_CALLBACK_GRACE: Final = 1  # seconds that a repeated callback waits for the first one beyond that limit


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Settings, open connections, and the services that use them.

    ``work`` is for requests. ``jobs`` is for jobs that span people and organizations.
    """

    settings: Settings
    offered: OfferedMethods
    work: UnitOfWork
    jobs: UnitOfWork
    vault: Vault
    http: aiohttp.ClientSession
    rate_limits: RateLimits

    async def close(self) -> None:
        """Finish running calls to Logto. The code that opened the connections closes them."""
        await self.refresher.close()
        if self.management is not None:
            await self.management.close()

    # Logto

    @cached_property
    def provider(self) -> LogtoProvider:
        """Logto as the sign-in provider."""
        return LogtoProvider(
            endpoint=self.settings.logto_endpoint,
            app_id=self.settings.logto_app_id,
            app_secret=self.settings.logto_app_secret,
            api_resource=self.settings.api_resource,
            permission_scopes=tuple(permission.value for permission in Permission),
            http=self.http,
        )

    @cached_property
    def management(self) -> ManagementClient | None:
        """Logto's Management API, or None without credentials for it."""
        if self.settings.management is None:
            return None
        return ManagementClient(self.settings.management, self.http, timeout=self.settings.logto_timeout)

    @cached_property
    def directory(self) -> Directory:
        """Names of users and organizations."""
        return Directory(self.work)

    # Who is calling

    @cached_property
    def sessions(self) -> SessionStore:
        """Sessions of browsers."""
        return SessionStore(
            self.work,
            self.vault,
            idle_timeout=self.settings.session_idle_timeout,
            absolute_timeout=self.settings.session_absolute_timeout,
        )

    @cached_property
    def session_tokens(self) -> SessionTokens:
        """The tokens that sessions hold."""
        return SessionTokens(self.work, self.vault)

    @cached_property
    def freshness(self) -> Freshness:
        """The rules by which cached tokens may be used."""
        max_age = timedelta(seconds=self.settings.organization_token_max_age)
        return Freshness(max_age, self.settings.api_resource)

    @cached_property
    def refresher(self) -> TokenRefresher:
        """Fetches tokens, with one attempt per session at a time."""
        timeout = self.settings.logto_timeout
        return TokenRefresher(
            self.sessions,
            self.session_tokens,
            RefreshTurns(self.sessions, RefreshClaims(self.work), timeout=timeout),
            self.directory,
            self.provider,
            self.freshness,
            timeout=timeout,
        )

    @cached_property
    def inspector(self) -> TokenInspector:
        """Shows people the tokens of their own sessions."""
        return TokenInspector(
            self.session_tokens,
            self.provider,
            self.freshness,
            client_id=self.settings.logto_app_id,
            redirect_uri=self.settings.redirect_uri,
        )

    @cached_property
    def tenants(self) -> Tenants:
        """Finds tenants of sessions, with fresh tokens."""
        return Tenants(
            self.sessions, self.session_tokens, self.refresher, self.freshness, patience=self._patience
        )

    @cached_property
    def profiles(self) -> Profiles:
        """People's own data from Logto."""
        return Profiles(
            self.session_tokens, self.directory, self.provider, self.refresher, patience=self._patience
        )

    @cached_property
    def preferences(self) -> PreferenceStore:
        """How people want to see pages."""
        return PreferenceStore(self.work)

    @cached_property
    def browser_sessions(self) -> BrowserSessions:
        """The credential of a browser."""
        step_up = self.settings.fresh_sign_in_max_age
        return BrowserSessions(self.sessions, self.tenants, fresh_sign_in_max_age=step_up)

    @cached_property
    def verified_tokens(self) -> VerifiedTokens:
        """Verifies bearer tokens."""
        return VerifiedTokens(
            self.provider.verifier,
            api_resource=self.settings.api_resource,
            support_app_id=self.settings.support_app_id if self.settings.offers_support else "",
        )

    @cached_property
    def bearer_tokens(self) -> BearerTokens:
        """The credential of a program."""
        step_up = self.settings.fresh_sign_in_max_age
        own = self.settings.logto_app_id if self.settings.offers_single_sign_on else ""
        return BearerTokens(self.work, self.management, fresh_sign_in_max_age=step_up, client_of_people=own)

    @cached_property
    def support_sessions(self) -> SupportSessions:
        """The credential of an agent who acts for a member. Without a support team, it proves nobody."""
        team = self.settings.support_organization_id if self.settings.offers_support else ""
        return SupportSessions(self.work, self.sessions, team)

    @cached_property
    def support_desk(self) -> Desk | None:
        """What starts support access, or None without a support team."""
        settings = self.settings
        if self.management is None or not settings.offers_support:
            return None
        application = SupportApplication(
            settings.support_app_id, settings.support_app_secret, settings.api_resource
        )
        exchange = SupportExchange(
            self.provider, self.refresher, self.management, application, patience=self._patience
        )
        return Desk(self.work, self.management, exchange, self.change_limits)

    # Signing in and out

    @cached_property
    def sign_in(self) -> SignIn:
        """The sign-in flow."""
        patience = self.settings.logto_timeout + _CALLBACK_GRACE
        return SignIn(
            Attempts(self.work, self.vault, patience=patience),
            self.provider,
            self.sessions,
            self.refresher,
            self.directory,
            self.arrivals,
            redirect_uri=self.settings.redirect_uri,
        )

    @cached_property
    def arrivals(self) -> CompanyArrivals | None:
        """Checks people who sign in at their company, or None if single sign-on is not offered."""
        if self.management is None or not self.settings.offers_single_sign_on:
            return None
        return CompanyArrivals(
            Systems(self.work, self.management, None),
            self.registration,
            People(self.work, self.management),
            KnownSignIns(self.work, self.vault),
            client_id=self.settings.logto_app_id,
            self_service=self.settings.single_sign_on_self_service,
        )

    @cached_property
    def broker(self) -> Broker | None:
        """The way between Logto and companies' providers, or None if single sign-on is not offered."""
        if self.management is None or not self.settings.offers_single_sign_on:
            return None
        allows_private = self.settings.single_sign_on_private_issuers
        return Broker(
            Systems(self.work, self.management, None),
            self.vault,
            self.registration,
            ProviderSignIn(ProviderVisits(allows_private=allows_private, timeout=SIGN_IN_TIMEOUT)),
            self_service=self.settings.single_sign_on_self_service,
        )

    @cached_property
    def registration(self) -> Registration:
        """How Logto knows us as the identity provider of organizations."""
        return Registration(self.settings.app_url, self.settings.logto_endpoint, self.vault)

    @cached_property
    def personas(self) -> Personas | None:
        """Signs visitors in as demo people, or None where there is no file of them or no lab."""
        file = self.settings.lab_people_file
        if file is None or not self.settings.lab:
            return None
        redirect_uri = self.settings.redirect_uri
        return Personas(read_people(file), self.sign_in, self.provider, self.vault, redirect_uri=redirect_uri)

    @cached_property
    def sign_out(self) -> SignOut:
        """Ends sessions, here and at Logto."""
        return SignOut(
            self.provider,
            self.sessions,
            self.session_tokens,
            self.management,
            client_id=self.settings.logto_app_id,
            post_sign_out_uri=self.settings.post_sign_out_uri,
        )

    @cached_property
    def backchannel(self) -> BackchannelLogout:
        """Ends sessions when Logto sends a back-channel logout."""
        client_id = self.settings.logto_app_id
        return BackchannelLogout(self.work, self.provider, self.sessions, client_id=client_id)

    @cached_property
    def kept_forms(self) -> KeptForms:
        """Forms that wait while their sender signs in again."""
        return KeptForms(self.work, self.vault)

    @cached_property
    def shown_secrets(self) -> ShownSecrets:
        """New secrets, which can be shown again for a minute."""
        return ShownSecrets(self.work, self.vault)

    # Features

    @cached_property
    def denials(self) -> Denials:
        """Denied requests, for the audit log."""
        return Denials(self.work)

    @cached_property
    def outsiders(self) -> Outsiders:
        """Counts denied requests of people who do not belong to the organization, in the log."""
        return Outsiders()

    @cached_property
    def removals(self) -> RemovalWorker:
        """Deletes the rows of deleted organizations."""
        return RemovalWorker(self.jobs, self.management)

    @cached_property
    def txt_resolver(self) -> TxtResolver:
        """Reads DNS records of claimed email domains."""
        return TxtResolver(self.settings.domain_nameservers)

    @cached_property
    def issuer_inspector(self) -> IssuerInspector:
        """Checks the identity providers of companies before Logto is told about them."""
        return IssuerInspector(ProviderVisits(allows_private=self.settings.single_sign_on_private_issuers))

    @cached_property
    def change_limits(self) -> ChangeLimits:
        """Limits on new organizations, invitations and changes in Logto."""
        return ChangeLimits(self.settings, LastingCounters(self.work))

    @cached_property
    def lab(self) -> LabSystems | None:
        """What the lab works with, or None while it is off."""
        return self.lab_systems if self.settings.lab else None

    @cached_property
    def lab_systems(self) -> LabSystems | None:
        """What the lab works with, also while it is off, to clean up. None without the Management API."""
        if self.management is None:
            return None
        return LabSystems(
            Systems(self.work, self.management, self.change_limits),
            self.vault,
            self.provider,
            self.refresher,
            self.settings.redirect_uri,
            self.settings.api_resource,
        )

    @cached_property
    def invitation_links(self) -> InvitationLinks:
        """Links that accept an invitation."""
        lifetime = timedelta(seconds=self.settings.invitation_link_lifetime)
        return InvitationLinks(self.settings.app_url, self.vault, lifetime)

    @cached_property
    def waiting_invitations(self) -> WaitingInvitations:
        """Pending invitations for a person."""
        return WaitingInvitations(self.management)

    @cached_property
    def email_links(self) -> EmailLinks:
        """Links in emails about memberships."""
        return EmailLinks(self.settings.app_url, self.vault)

    @property
    def _patience(self) -> float:
        return self.settings.logto_timeout + _GRACE
