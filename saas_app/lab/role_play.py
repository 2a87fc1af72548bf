"""Role-play members: real accounts at Logto, which the lab signs in by script.

Their passwords, their sessions at Logto and their tokens are stored encrypted. One request at a time uses
them, because each holds the lease of the learner's ground.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity import scripted_sign_in
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.logto_messages import GrantedTokens, LogtoRefusal
from saas_app.identity.scripted_sign_in import ScriptedSession, ScriptedSignInFailed
from saas_app.identity.vault import Vault
from saas_app.lab import queries
from saas_app.lab.evidence import ApiRequest
from saas_app.lab.values import Ground
from saas_app.text.translation import _


class RolePlay:
    """Signs the role-play members of one ground in, and fetches their tokens."""

    def __init__(
        self, work: UnitOfWork, vault: Vault, provider: LogtoProvider, redirect_uri: str, ground: Ground
    ) -> None:
        self._work = work
        self._vault = vault
        self._provider = provider
        self._redirect_uri = redirect_uri
        self._subject = ground.subject
        self._usernames = {key: player.username for key, player in ground.players.items()}
        self._secrets: dict[str, Mapping[str, Any]] = {
            key: player.secrets for key, player in ground.players.items()
        }

    async def sign_in(self, key: str) -> None:
        """Sign a member in with their password: a new session at Logto with a new grant.

        Raises :class:`ScriptedSignInFailed` and :class:`LogtoUnavailable`.
        """
        session = await scripted_sign_in.sign_in(
            self._provider,
            redirect_uri=self._redirect_uri,
            username=self._usernames[key],
            password=self._secrets[key]["password"],
        )
        await self._save_session(key, session)

    async def renew(self, key: str) -> bool:
        """Give a member a new grant by a silent round trip, or by a sign-in if their session has ended.

        Returns whether it was silent, which proves that the session at Logto was alive.
        """
        try:
            session = await scripted_sign_in.renew(
                self._provider,
                redirect_uri=self._redirect_uri,
                cookies=self._secrets[key].get("cookies", {}),
            )
        except ScriptedSignInFailed:
            await self.sign_in(key)
            return False
        await self._save_session(key, session)
        return True

    async def refresh(self, key: str, organization_id: str | None, resource: str | None) -> GrantedTokens:
        """Fetch a token for a member, who is signed in first if necessary.

        Raises :class:`LogtoRefusal`, :class:`ScriptedSignInFailed` and :class:`LogtoUnavailable`.
        """
        if not self._secrets[key].get("refresh_token"):
            await self.sign_in(key)
        try:
            return await self._refresh(key, organization_id, resource)
        except LogtoRefusal as refusal:
            if refusal.error != "invalid_grant":
                raise
        await self.sign_in(key)  # the grant ended, for example after two weeks without use
        return await self._refresh(key, organization_id, resource)

    def grant(self, key: str) -> str | None:
        """Return a name for the member's grant that changes with each new one, or None before the first."""
        found: str | None = self._secrets[key].get("grant")
        return found

    async def user_info(self, token: str) -> ApiRequest:
        """Ask Logto's userinfo endpoint about the holder of an opaque token. A refusal is a result, too."""
        core = await self._provider.core()
        path = str(core.metadata.userinfo_endpoint)
        try:
            status, answer = 200, await core.fetch_user_info(token)
        except LogtoRefusal as refusal:
            status, answer = refusal.status, dict(refusal.answer)
        return ApiRequest("GET", path, _("Opaque token"), status, answer)

    async def keep(self, key: str, name: str, token: str) -> None:
        """Store a token of a member under a name."""
        await self._save(key, kept={**self._secrets[key].get("kept", {}), name: token})

    async def kept(self, key: str, name: str) -> str | None:
        """Return a token that :meth:`keep` stored, or None."""
        found: str | None = self._secrets[key].get("kept", {}).get(name)
        return found

    async def _refresh(self, key: str, organization_id: str | None, resource: str | None) -> GrantedTokens:
        client = await self._provider.client({"refreshToken": self._secrets[key]["refresh_token"]})
        return await client.refresh(
            lambda token: self._save(key, refresh_token=token),
            organization_id=organization_id,
            resource=resource,
        )

    async def _save_session(self, key: str, session: ScriptedSession) -> None:
        await self._save(
            key,
            cookies=session.cookies,
            refresh_token=session.granted.refresh_token,
            grant=secrets.token_hex(8),
        )

    async def _save(self, key: str, **values: Any) -> None:
        stored = {**self._secrets[key], **values}
        await queries.save_secrets(self._work, self._vault, self._subject, key, stored)
        self._secrets[key] = stored
