"""Applications as the OIDC endpoints see them: clients. The Management API creates and changes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from local_logto.context import current_store
from local_logto.oidc.authorization import redirect_uris
from local_logto.oidc.scopes import MANAGEMENT_ROLE_ID
from local_logto.tables import application_roles, applications

DEFAULT_ID_TOKEN_TTL: Final = 3600
DEFAULT_REFRESH_TOKEN_DAYS: Final = 14
DEVICE_CODE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_DAY: Final = 24 * 3600

_GRANTS: Final[Mapping[str, frozenset[str]]] = {
    "Traditional": frozenset({"authorization_code", "refresh_token"}),
    "SPA": frozenset({"authorization_code", "refresh_token"}),
    "Native": frozenset({"authorization_code", "refresh_token"}),
    "MachineToMachine": frozenset({"client_credentials"}),
}


@dataclass(frozen=True)
class Client:
    """An OAuth client.

    ``type`` is Traditional, SPA, Native or MachineToMachine. The metadata are Logto's own objects.
    """

    id: str
    type: str
    oidc_metadata: Mapping[str, Any]
    custom_metadata: Mapping[str, Any]
    is_third_party: bool
    has_management_access: bool

    @property
    def is_public(self) -> bool:
        """Whether the client has no secret. If so, it uses PKCE and rotates refresh tokens at every use."""
        return self.type in {"SPA", "Native"}

    @property
    def is_web(self) -> bool:
        return self.type != "Native"

    @property
    def is_device(self) -> bool:
        """Whether the client signs people in only by a code that they enter on another device."""
        return self.type == "Native" and bool(self.custom_metadata.get("isDeviceFlow"))

    def allows_grant(self, grant_type: str) -> bool:
        if grant_type == EXCHANGE_GRANT:
            return bool(self.custom_metadata.get("allowTokenExchange"))
        if self.is_device:
            return grant_type in {DEVICE_CODE_GRANT, "refresh_token"}
        return grant_type in _GRANTS.get(self.type, frozenset())

    def allows_scope(self, scope: str) -> bool:
        """Return whether the client may request an OIDC scope.

        A third-party application may request only scopes enabled for it. This server can't enable any, which
        leaves these two.
        """
        return not self.is_third_party or scope in {"openid", "offline_access"}

    def allows_redirect(self, redirect_uri: str) -> bool:
        registered = self.oidc_metadata.get("redirectUris") or []
        if redirect_uris.is_registered(redirect_uri, registered):
            return True
        return self.type == "Native" and redirect_uris.is_loopback_variant(redirect_uri, registered)

    def allows_post_logout_redirect(self, redirect_uri: str) -> bool:
        registered = self.oidc_metadata.get("postLogoutRedirectUris") or []
        return redirect_uris.is_registered(redirect_uri, registered)

    @property
    def only_redirect_uri(self) -> str | None:
        """The single registered URI, which replaces an absent ``redirect_uri``."""
        registered = self.oidc_metadata.get("redirectUris") or []
        return registered[0] if len(registered) == 1 else None

    @property
    def backchannel_logout_uri(self) -> str | None:
        return self.oidc_metadata.get("backchannelLogoutUri") or None

    @property
    def includes_sid(self) -> bool:
        required = self.oidc_metadata.get("backchannelLogoutSessionRequired")
        return bool(required) and self.backchannel_logout_uri is not None

    @property
    def id_token_ttl(self) -> int:
        """The lifetime of ID tokens in seconds."""
        return int(self.custom_metadata.get("idTokenTtl") or DEFAULT_ID_TOKEN_TTL)

    @property
    def refresh_token_ttl(self) -> int:
        """The lifetime of refresh tokens in seconds. The setting in days overrides the older one."""
        days = self.custom_metadata.get("refreshTokenTtlInDays")
        if days is not None:
            return int(days) * _DAY
        return int(self.custom_metadata.get("refreshTokenTtl") or DEFAULT_REFRESH_TOKEN_DAYS * _DAY)

    @property
    def rotates_refresh_tokens(self) -> bool:
        return self.custom_metadata.get("rotateRefreshToken") is not False

    @property
    def max_allowed_grants(self) -> int | None:
        """How many grants of one person the client may have at a time. None means no limit."""
        limit = self.custom_metadata.get("maxAllowedGrants")
        return None if limit is None else int(limit)

    @property
    def always_issues_refresh_token(self) -> bool:
        return self.is_web and bool(self.custom_metadata.get("alwaysIssueRefreshToken"))


def find_client(client_id: str) -> Client | None:
    holds_role = sa.exists().where(
        application_roles.c.application_id == applications.c.id,
        application_roles.c.role_id == MANAGEMENT_ROLE_ID,
    )
    query = sa.select(applications, holds_role.label("has_management_access")).where(
        applications.c.id == client_id
    )
    with current_store().begin() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Client(
        id=row.id,
        type=row.type,
        oidc_metadata=row.oidc_client_metadata or {},
        custom_metadata=row.custom_client_metadata or {},
        is_third_party=row.is_third_party,
        has_management_access=row.has_management_access,
    )
