"""A customer's OpenID provider: its configuration, and the metadata that it publishes (OIDC Discovery 1.0).

The requests are those of Logto 1.42's enterprise connector ``OIDC``. Like Logto, this module accepts any
issuer: also one at a private address, and one whose metadata names another issuer. ID tokens must be of the
issuer that the metadata names, and identities are stored under the configured one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local_logto.connectors.fetching import NoAnswer, fetch, is_success
from local_logto.errors import RequestError
from local_logto.faults import Issue
from local_logto.values import Flag, Shape, Text

_CONFIG: Final = Shape(
    {"clientId": Text(), "clientSecret": Text(), "issuer": Text()},
    {"scope": Text(), "trustUnverifiedEmail": Flag()},
)
_METADATA: Final = Shape(
    {"authorization_endpoint": Text(), "token_endpoint": Text(), "jwks_uri": Text(), "issuer": Text()},
    {"userinfo_endpoint": Text()},
)
_SCOPES: Final = ("openid", "profile", "email")  # always requested
_MESSAGES: Final = {
    "authorization_failed": "The user's authorization process is unsuccessful.",
    "invalid_config": "The connector's config is invalid.",
    "invalid_request_parameters": "The request is with wrong input parameter(s).",
}


class ProviderFailure(Exception):
    """The provider can't be used, or rejected a request. ``facts`` say what is known."""

    def __init__(self, code: str, message: str, **facts: object) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.facts = {"ssoErrorCode": code, "message": message, **facts}

    def refusal(self, status: int) -> RequestError:
        """Return the error as Logto's APIs show it: 400 to administrators, 500 to people who sign in."""
        return RequestError(status, f"connector.{self.code}", _MESSAGES[self.code], data=self.facts)


@dataclass(frozen=True)
class Metadata:
    """What the provider publishes about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None


@dataclass(frozen=True)
class OpenIdProvider:
    """A provider, and our client there."""

    client_id: str
    client_secret: str
    issuer: str
    scope: str | None
    trusts_unverified_email: bool

    @property
    def requested_scope(self) -> str:
        """The scope of authorization requests: the required scopes, then the configured ones."""
        configured = re.split(r"[ +]", self.scope or "")
        return " ".join(dict.fromkeys(filter(None, (*_SCOPES, *configured))))

    async def discover(self, timeout_seconds: float) -> Metadata:
        """Fetch the provider's metadata. Raises ``ProviderFailure`` if it is missing or incomplete."""
        url = f"{self.issuer}/.well-known/openid-configuration"
        try:
            status, text = await fetch("GET", url, headers={}, timeout_seconds=timeout_seconds)
        except NoAnswer as error:
            raise self._undiscovered("fail_to_fetch_config", error.facts) from error
        if not is_success(status):
            raise self._undiscovered("fail_to_fetch_config", text)
        try:
            value = json.loads(text)
        except ValueError as error:
            raise self._undiscovered("fail_to_fetch_config", {}) from error
        issues: list[Issue] = []
        known = _METADATA.check(value, (), issues)
        if issues:
            raise self._undiscovered("invalid_config_response", flattened(issues))
        return Metadata(**{"userinfo_endpoint": None, **known})

    def _undiscovered(self, message: str, error: object) -> ProviderFailure:
        return ProviderFailure("invalid_config", message, config={"issuer": self.issuer}, error=error)


def checked_config(config: object) -> dict[str, Any] | None:
    """Return the known members of a configuration with its defaults, or None if it is incomplete."""
    issues: list[Issue] = []
    known = _CONFIG.check(config, (), issues)
    return None if issues else {"trustUnverifiedEmail": False, **known}


def find_provider(config: object) -> OpenIdProvider | None:
    """Return the provider that a stored configuration describes, or None if it is incomplete."""
    known = checked_config(config)
    if known is None:
        return None
    return OpenIdProvider(
        client_id=known["clientId"],
        client_secret=known["clientSecret"],
        issuer=known["issuer"],
        scope=known.get("scope"),
        trusts_unverified_email=known["trustUnverifiedEmail"],
    )


def flattened(issues: list[Issue]) -> Mapping[str, object]:
    """Return the faults by member, as zod's ``flatten`` does."""
    fields: dict[str, list[str]] = {}
    for issue in issues:
        if issue["path"]:
            fields.setdefault(str(issue["path"][0]), []).append(issue["message"])
    whole = [issue["message"] for issue in issues if not issue["path"]]
    return {"formErrors": whole, "fieldErrors": fields}
