"""The state of a social sign-in: the browser was sent to the provider, and who came back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local_logto.connectors.naver import SocialUser
from local_logto.experience.json_access import mapping, text
from local_logto.experience.provider_proof import ProviderProof


@dataclass(frozen=True)
class SocialIdentity:
    """A person at a provider, as an account's ``identities`` store it under ``target``."""

    target: str
    user: SocialUser

    def to_json(self) -> dict[str, object]:
        """Return it as Logto's interaction shows it."""
        return {"target": self.target, "userInfo": self.user.to_json()}

    def to_stored_json(self) -> dict[str, object]:
        """Return the value under the target in ``identities``."""
        return {"userId": self.user.id, "details": self.user.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> SocialIdentity | None:
        target, user = text(value, "target"), mapping(value, "userInfo")
        return cls(target, SocialUser.from_json(user)) if target and user else None


@dataclass(frozen=True, kw_only=True)
class SocialProof(ProviderProof):
    """The verification record of a social sign-in. It is verified if ``user`` is known."""

    target: str
    user: SocialUser | None = None

    @property
    def identity(self) -> SocialIdentity | None:
        return SocialIdentity(self.target, self.user) if self.user else None

    def to_public_json(self) -> dict[str, object]:
        """Return it as ``GET /api/experience/interaction`` shows it."""
        user = {"socialUserInfo": self.user.to_json()} if self.user else {}
        return {"id": self.id, "connectorId": self.connector_id, "type": "Social", **user}

    def to_json(self) -> dict[str, object]:
        return self.to_public_json() | {"target": self.target, "state": self.state}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> SocialProof | None:
        user = mapping(value, "socialUserInfo")
        if not value:
            return None
        return cls(
            id=text(value, "id") or "",
            connector_id=text(value, "connectorId") or "",
            target=text(value, "target") or "",
            state=text(value, "state"),
            user=SocialUser.from_json(user) if user else None,
        )
