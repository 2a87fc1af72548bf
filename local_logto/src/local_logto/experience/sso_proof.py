"""The state of an enterprise sign-in: the browser was sent to a provider, and who came back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local_logto.connectors.openid_sign_in import OpenIdUser, Visit
from local_logto.experience.json_access import mapping, text
from local_logto.experience.provider_proof import ProviderProof


@dataclass(frozen=True)
class SsoIdentity:
    """A person at a customer's provider, as ``user_sso_identities`` stores it."""

    issuer: str
    connector_id: str
    user: OpenIdUser

    def to_json(self) -> dict[str, object]:
        """Return it as Logto's interaction shows it."""
        return {
            "issuer": self.issuer,
            "ssoConnectorId": self.connector_id,
            "identityId": self.user.id,
            "detail": dict(self.user.detail),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> SsoIdentity | None:
        names = ("issuer", "ssoConnectorId", "identityId")
        issuer, connector_id, user_id = (text(value, name) for name in names)
        if issuer is None or connector_id is None or user_id is None:
            return None
        return cls(issuer, connector_id, OpenIdUser(user_id, mapping(value, "detail")))


@dataclass(frozen=True, kw_only=True)
class SsoProof(ProviderProof):
    """The verification record of an enterprise sign-in. It is verified if ``user`` is known.

    ``visit`` is what the return must match. It is dropped when the return is verified, whatever comes out.
    """

    visit: Visit | None = None
    issuer: str | None = None
    user: OpenIdUser | None = None

    @property
    def identity(self) -> SsoIdentity | None:
        if self.user is None or self.issuer is None:
            return None
        return SsoIdentity(self.issuer, self.connector_id, self.user)

    def to_public_json(self) -> dict[str, object]:
        """Return it as ``GET /api/experience/interaction`` shows it."""
        verified = (
            {"enterpriseSsoUserInfo": dict(self.user.detail), "issuer": self.issuer} if self.user else {}
        )
        return {"id": self.id, "type": "EnterpriseSso", "connectorId": self.connector_id, **verified}

    def to_json(self) -> dict[str, object]:
        visit = vars(self.visit) if self.visit else None
        return self.to_public_json() | {"state": self.state, "visit": visit}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> SsoProof | None:
        if not value:
            return None
        user, visit = mapping(value, "enterpriseSsoUserInfo"), mapping(value, "visit")
        return cls(
            id=text(value, "id") or "",
            connector_id=text(value, "connectorId") or "",
            state=text(value, "state"),
            visit=Visit(text(visit, "redirect_uri") or "", text(visit, "nonce") or "") if visit else None,
            issuer=text(value, "issuer"),
            user=OpenIdUser(text(user, "id") or "", user) if user else None,
        )
