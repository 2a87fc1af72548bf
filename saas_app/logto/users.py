"""Calls for people's accounts. Where they are signed in is in :mod:`.user_sessions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from saas_app.logto.calls import Calls
from saas_app.logto.paths import segment
from saas_app.logto.records import LogtoUser, OneTimeToken, SubjectToken
from saas_app.logto.responses import ManagementError, as_list


class UserCalls(Calls):
    """Accounts of the tenant."""

    async def get_user(self, user_id: str) -> LogtoUser:
        """Return an account. 404 ``entity.not_found`` if there is none."""
        return LogtoUser.read(await self._body("GET", _path(user_id)))

    async def get_user_with_sso(self, user_id: str) -> LogtoUser:
        """Return an account with its identities at companies' providers. 404 ``entity.not_found``."""
        path, query = _path(user_id), {"includeSsoIdentities": "true"}
        return LogtoUser.read((await self._transport.call("GET", path, query=query)).body)

    async def find_user_with_sso(self, user_id: str) -> LogtoUser | None:
        """Return an account with its identities at companies' providers, or None if there is none."""
        try:
            return await self.get_user_with_sso(user_id)
        except ManagementError as refusal:
            if refusal.status == 404:
                return None
            raise

    async def find_user(self, user_id: str) -> LogtoUser | None:
        """Return an account, or None if there is none with this ID."""
        found = await self._find("/users/{}", user_id)
        return None if found is None else LogtoUser.read(found)

    async def find_user_by_email(self, email: str) -> LogtoUser | None:
        """Return the account with this primary email address, or None. Case does not matter."""
        return await self._find_by("primaryEmail", email)

    async def find_user_by_username(self, username: str) -> LogtoUser | None:
        """Return the account with this username, or None."""
        return await self._find_by("username", username)

    async def create_user(
        self,
        *,
        username: str,
        name: str,
        password: str,
        email: str = "",
        phone: str = "",
        avatar: str | None = None,
    ) -> LogtoUser:
        """Create an account. 422 ``user.username_already_in_use``, ``user.email_…`` or ``user.phone_…``.

        ``phone`` is digits with the country code, without a plus.
        """
        body = {"username": username, "name": name, "password": password}
        if email:
            body["primaryEmail"] = email
        if phone:
            body["primaryPhone"] = phone
        if avatar:
            body["avatar"] = avatar
        return LogtoUser.read(await self._body("POST", "/users", body))

    async def delete_user(self, user_id: str) -> None:
        """Delete an account with its sessions and memberships. 404 ``entity.not_found`` if there is none."""
        await self._body("DELETE", _path(user_id))

    async def set_user_name(self, user_id: str, name: str) -> LogtoUser:
        """Set the display name of an account. 404 ``entity.not_found`` if there is none."""
        return LogtoUser.read(await self._body("PATCH", _path(user_id), {"name": name}))

    async def set_user_phone(self, user_id: str, phone: str) -> LogtoUser:
        """Set the phone number of an account. 422 ``user.phone_already_in_use``."""
        return LogtoUser.read(await self._body("PATCH", _path(user_id), {"primaryPhone": phone}))

    async def set_user_avatar(self, user_id: str, avatar: str) -> LogtoUser:
        """Set the address of an account's picture. 404 ``entity.not_found`` if there is no such account."""
        return LogtoUser.read(await self._body("PATCH", _path(user_id), {"avatar": avatar}))

    async def has_second_factor(self, user_id: str) -> bool:
        """Return whether an account has a second factor for organizations (Logto 1.42: not email or SMS)."""
        return bool(as_list(await self._body("GET", f"{_path(user_id)}/mfa-verifications")))

    async def create_one_time_token(self, email: str, *, seconds: int) -> str:
        """Create a token, valid for ``seconds``, that proves an email address once on Logto's pages.

        Logto 1.42 checks neither the address nor whether there is an account.
        """
        body = {"email": email, "expiresIn": seconds}
        return OneTimeToken.read(await self._body("POST", "/one-time-tokens", body)).token

    async def create_subject_token(self, user_id: str, *, context: Mapping[str, Any]) -> str:
        """Create a token that stands for a person in one token exchange, for ten minutes.

        ``context`` reaches only JWT customizers (Logto 1.42). 404 if there is no such account.
        """
        body = {"userId": user_id, "context": dict(context)}
        return SubjectToken.read(await self._body("POST", "/subject-tokens", body)).subject_token

    async def _find_by(self, field: str, value: str) -> LogtoUser | None:
        answer = await self._transport.call(
            "GET",
            "/users",
            query={f"search.{field}": value, f"mode.{field}": "exact", "page": 1, "page_size": 1},
        )
        return next(iter(LogtoUser.read_all(answer.body)), None)


def _path(user_id: str) -> str:
    return f"/users/{segment(user_id)}"
