"""What the whole process shares, built once by :mod:`saas_app.app`."""

from __future__ import annotations

from dataclasses import dataclass

from saas_app.audit.denials import Denials, Outsiders
from saas_app.config import Settings
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.dns_records import TxtResolver
from saas_app.identity.bearer import VerifiedTokens
from saas_app.identity.credentials.bearer_token import BearerTokens
from saas_app.identity.credentials.browser_session import BrowserSessions
from saas_app.identity.directory import Directory
from saas_app.identity.kept_forms import KeptForms
from saas_app.identity.offered_methods import OfferedMethods
from saas_app.identity.profiles import Profiles
from saas_app.identity.sessions import SessionStore
from saas_app.identity.shown_secrets import ShownSecrets
from saas_app.identity.sign_in import SignIn
from saas_app.identity.sign_out import SignOut
from saas_app.identity.tenants import Tenants
from saas_app.identity.token_refresh import TokenRefresher
from saas_app.invitations.links import InvitationLinks
from saas_app.limits.changes import ChangeLimits
from saas_app.limits.requests import RateLimits
from saas_app.logto import ManagementClient
from saas_app.organizations.removal import RemovalWorker
from saas_app.webhooks.backchannel import BackchannelLogout


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Settings and services of this process. ``management`` is None without its credentials."""

    settings: Settings
    offered: OfferedMethods
    work: UnitOfWork
    directory: Directory
    sessions: SessionStore
    refresher: TokenRefresher
    tenants: Tenants
    profiles: Profiles
    browser_sessions: BrowserSessions
    verified_tokens: VerifiedTokens
    bearer_tokens: BearerTokens
    sign_in: SignIn
    sign_out: SignOut
    kept_forms: KeptForms
    shown_secrets: ShownSecrets
    management: ManagementClient | None
    denials: Denials
    outsiders: Outsiders
    backchannel: BackchannelLogout
    removals: RemovalWorker
    rate_limits: RateLimits
    txt_resolver: TxtResolver
    change_limits: ChangeLimits
    invitation_links: InvitationLinks
