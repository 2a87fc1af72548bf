"""A person's own data from Logto: their ID token, their organizations, userinfo."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import structlog

from saas_app.errors import Conflict, LogtoUnavailable
from saas_app.identity.claims import decode_stored, organization_roles
from saas_app.identity.directory import Directory
from saas_app.identity.logto_client import LogtoCore, LogtoProvider
from saas_app.identity.logto_messages import LogtoRefusal
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.session_tokens import SessionTokens
from saas_app.identity.token_refresh import USERINFO_AUDIENCE, TokenRefresher
from saas_app.text.branding import UNBRANDED, Branding
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_TOKEN_REJECTED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NO_ROLES: Final[frozenset[str]] = frozenset()

_OwnCall: TypeAlias = Callable[[LogtoCore, str], Awaitable[dict[str, Any]]]

_CLOSED: Final = _(
    "Logto does not allow changes of names and pictures here. The operator can allow them with 'saas-app "
    "provision'."
)
_NOT_EDITABLE: Final = {
    "account_center.not_enabled": _CLOSED,
    "account_center.field_not_editable": _CLOSED,
}
_REJECTED: Final = _("Logto did not accept this name or this picture. Check both, or try others.")


class ProfileNotEditable(Conflict):
    """Logto refused to change the person's profile."""

    title = _("Your profile was not changed")


@dataclass(frozen=True, slots=True)
class Membership:
    """An organization that the person belongs to, with their roles there.

    ``needs_sso``: it requires single sign-on, and the session of this list did not come through it.
    """

    organization_id: str
    organization_name: str
    role_names: frozenset[str]
    branding: Branding = UNBRANDED
    needs_sso: bool = False


class Profiles:
    """Reads a person's own data. ``patience`` is how many seconds a request waits for Logto."""

    def __init__(
        self,
        tokens: SessionTokens,
        directory: Directory,
        provider: LogtoProvider,
        refresher: TokenRefresher,
        *,
        patience: float,
    ) -> None:
        self._tokens = tokens
        self._directory = directory
        self._provider = provider
        self._refresher = refresher
        self._patience = patience

    async def get_claims(self, principal: SessionPrincipal) -> dict[str, Any]:
        """Return the claims of the session's ID token, which was verified when it was fetched."""
        return decode_stored(await self._tokens.get_id_token(principal.session_id))

    async def list_memberships(self, principal: SessionPrincipal, claims: dict[str, Any]) -> list[Membership]:
        """Return the organizations that a session's ID token names, with the person's roles, in no order.

        For display only: entering an organization takes a fresh token for it.
        """
        listed = await self._directory.list_organizations(claims.get("organizations") or ())
        roles = organization_roles(claims)
        return [
            Membership(
                item,
                found.name,
                roles.get(item, _NO_ROLES),
                found.branding,
                needs_sso=found.needs_sso(principal),
            )
            for item, found in listed.items()
        ]

    async def belongs_to(self, claims: dict[str, Any], organization_id: str) -> bool:
        """Return whether an ID token names an organization that was not deleted. For display only."""
        is_named = organization_id in (claims.get("organizations") or ())
        return is_named and organization_id in await self._directory.list_organizations([organization_id])

    async def fetch_user_info(self, principal: SessionPrincipal) -> dict[str, Any]:
        """Fetch the person's current userinfo from Logto.

        Raises :class:`LogtoUnavailable` or :class:`SignInRequired`.
        """
        return await self._with_own_token(principal, lambda core, token: core.fetch_user_info(token))

    async def change(self, principal: SessionPrincipal, *, name: str, picture: str | None) -> None:
        """Change the person's name and picture in Logto, and for all who see them here.

        Raises :class:`ProfileNotEditable`, :class:`LogtoUnavailable` or :class:`SignInRequired`.
        """
        wanted = {"name": name, "avatar": picture}
        try:
            account = await self._with_own_token(
                principal, lambda core, token: core.change_account(token, wanted)
            )
        except LogtoRefusal as refusal:
            log.warning("logto refused to change a profile", error=refusal.error, status=refusal.status)
            raise ProfileNotEditable(_NOT_EDITABLE.get(refusal.error, _REJECTED)) from None
        await self._directory.remember_profile(
            principal.subject, name=account.get("name"), picture=account.get("avatar")
        )

    async def _with_own_token(self, principal: SessionPrincipal, call: _OwnCall) -> dict[str, Any]:
        """Call Logto with the session's opaque token, which is renewed once if Logto rejects it."""
        deadline = time.monotonic() + self._patience
        try:
            async with asyncio.timeout(self._patience):  # a token refresh continues in the background
                return await self._call(principal.session_id, call, deadline)
        except TimeoutError:
            raise LogtoUnavailable(_("Logto did not respond in time.")) from None

    async def _call(self, session_id: uuid.UUID, call: _OwnCall, deadline: float) -> dict[str, Any]:
        token = await self._tokens.find_token(session_id, USERINFO_AUDIENCE)
        core = await self._provider.core()
        try:
            if token is not None:
                return await call(core, token)
        except LogtoRefusal as refusal:
            if refusal.status not in _TOKEN_REJECTED:
                raise
            log.info("the cached userinfo token is no longer accepted")
        fresh = await self._refresher.refresh_user_info_token(
            session_id, patience=deadline - time.monotonic()
        )
        return await call(core, fresh)
