"""The state of one sign-in: event, proofs, profile, identified user. Pure data.

It is stored as JSON in the interaction's ``experience`` column, which ``session`` reads and writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from local_logto.experience.json_access import boolean, mapping, mappings, text
from local_logto.experience.mfa_state import MfaProof, MfaState
from local_logto.experience.social_proof import SocialIdentity, SocialProof
from local_logto.experience.sso_proof import SsoIdentity, SsoProof


class Event(StrEnum):
    """What the person is doing: Logto's ``interactionEvent``."""

    SIGN_IN = "SignIn"
    REGISTER = "Register"
    FORGOT_PASSWORD = "ForgotPassword"  # noqa: S105 - an event's name


class Proof(StrEnum):
    """The kinds of verification records that this provider creates."""

    PASSWORD = "Password"  # noqa: S105 - a record's type
    NEW_PASSWORD_IDENTITY = "NewPasswordIdentity"  # noqa: S105 - a record's type
    EMAIL_CODE = "EmailVerificationCode"
    PHONE_CODE = "PhoneVerificationCode"
    ONE_TIME_TOKEN = "OneTimeToken"  # noqa: S105 - a record's type


@dataclass(frozen=True)
class Identifier:
    """What a person signs in with. ``type`` is username, email or phone."""

    type: str
    value: str

    def to_json(self) -> dict[str, object]:
        return {"type": self.type, "value": self.value}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Identifier:
        return cls(text(value, "type") or "", text(value, "value") or "")


@dataclass(frozen=True)
class VerificationRecord:
    """One proof: of a password, of an address, or of a new username with its password."""

    id: str
    proof: Proof
    identifier: Identifier
    verified: bool = False
    template_type: str | None = None
    password_hash: str | None = None
    context: Mapping[str, object] | None = None  # of a one-time token

    def to_public_json(self) -> dict[str, object]:
        """Return it as ``GET /api/experience/interaction`` shows it, without the password hash."""
        body: dict[str, object] = {
            "id": self.id,
            "type": self.proof.value,
            "identifier": self.identifier.to_json(),
        }
        if self.proof is not Proof.NEW_PASSWORD_IDENTITY:
            body["verified"] = self.verified
        if self.template_type:
            body["templateType"] = self.template_type
        if self.context is not None:
            body["oneTimeTokenContext"] = self.context
        return body

    def to_json(self) -> dict[str, object]:
        return self.to_public_json() | {"verified": self.verified, "passwordHash": self.password_hash}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> VerificationRecord:
        return cls(
            id=text(value, "id") or "",
            proof=Proof(text(value, "type") or ""),
            identifier=Identifier.from_json(mapping(value, "identifier")),
            verified=boolean(value, "verified", default=False),
            template_type=text(value, "templateType"),
            password_hash=text(value, "passwordHash"),
            context=mapping(value, "oneTimeTokenContext") or None,
        )


_PROFILE_NAMES = {
    "avatar": "avatar",
    "name": "name",
    "username": "username",
    "email": "primaryEmail",
    "phone": "primaryPhone",
}
_IDENTITY_NAMES = {
    "social_identity": "socialIdentity",
    "sso_identity": "enterpriseSsoIdentity",
    "synced_sso_identity": "syncedEnterpriseSsoIdentity",
}


@dataclass(frozen=True)
class PendingProfile:
    """Values for the account that is being created or completed, not yet stored.

    ``synced_sso_identity`` is one that the account has already, as the provider describes it now.
    """

    username: str | None = None
    email: str | None = None
    phone: str | None = None
    password_hash: str | None = None
    name: str | None = None
    avatar: str | None = None
    social_identity: SocialIdentity | None = None
    sso_identity: SsoIdentity | None = None
    synced_sso_identity: SsoIdentity | None = None

    def to_public_json(self) -> dict[str, object]:
        """Return the values that are set, under Logto's names, without the password hash."""
        texts: dict[str, object] = {
            shown: value
            for name, shown in _PROFILE_NAMES.items()
            if (value := getattr(self, name)) is not None
        }
        identities: dict[str, object] = {
            shown: identity.to_json()
            for name, shown in _IDENTITY_NAMES.items()
            if (identity := getattr(self, name)) is not None
        }
        return texts | identities

    def to_json(self) -> dict[str, object]:
        return self.to_public_json() | {"passwordHash": self.password_hash}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> PendingProfile:
        return cls(
            **{name: text(value, shown) for name, shown in _PROFILE_NAMES.items()},
            password_hash=text(value, "passwordHash"),
            social_identity=SocialIdentity.from_json(mapping(value, "socialIdentity")),
            sso_identity=SsoIdentity.from_json(mapping(value, "enterpriseSsoIdentity")),
            synced_sso_identity=SsoIdentity.from_json(mapping(value, "syncedEnterpriseSsoIdentity")),
        )


@dataclass(frozen=True)
class Experience:
    """The progress of one sign-in. Immutable: every change creates a new one."""

    event: Event
    user_id: str | None = None
    profile: PendingProfile = field(default_factory=PendingProfile)
    records: tuple[VerificationRecord, ...] = ()
    social: SocialProof | None = None
    sso: SsoProof | None = None
    mfa: MfaState = field(default_factory=MfaState)
    ip: str = ""
    user_agent: str = ""
    typed: Identifier | None = None  # on the first of two pages; not set by the API

    def with_record(self, record: VerificationRecord) -> Experience:
        """Return the state with this proof, which replaces one of the same kind."""
        by_proof = {known.proof: known for known in self.records} | {record.proof: record}
        return replace(self, records=tuple(by_proof.values()))

    @property
    def provider_proofs(self) -> tuple[SocialProof | SsoProof, ...]:
        """The proofs of sign-ins through a provider: at most one of each kind."""
        return tuple(proof for proof in (self.social, self.sso) if proof is not None)

    def with_provider_proof(self, proof: SocialProof | SsoProof) -> Experience:
        """Return the state with this proof, which replaces one of the same kind."""
        if isinstance(proof, SsoProof):
            return replace(self, sso=proof)
        return replace(self, social=proof)

    def find_record(self, record_id: str, *proofs: Proof) -> VerificationRecord | None:
        """Return the proof with this ID, limited to these kinds if any are given."""
        return next(
            (
                record
                for record in self.records
                if record.id == record_id and (not proofs or record.proof in proofs)
            ),
            None,
        )

    def to_public_json(self) -> dict[str, object]:
        """Return the body of ``GET /api/experience/interaction``."""
        body: dict[str, object] = {
            "interactionEvent": self.event.value,
            "profile": self.profile.to_public_json(),
            "verificationRecords": [record.to_public_json() for record in self._all_records()],
            "mfa": self.mfa.to_public_json(),
            "signInContext": {"ip": self.ip, "userAgent": self.user_agent},
            "captcha": {"verified": False, "skipped": False},
        }
        return body | ({"userId": self.user_id} if self.user_id else {})

    def _all_records(self) -> tuple[VerificationRecord | SocialProof | SsoProof | MfaProof, ...]:
        return (*self.records, *self.provider_proofs, *self.mfa.proofs)

    def to_submission_json(self) -> dict[str, object]:
        """Return what the browser session remembers, as ``GET /users/:id/sessions`` shows it."""
        shown = self.to_public_json()
        names = ("interactionEvent", "userId", "verificationRecords", "signInContext")
        return {name: shown[name] for name in names if name in shown}

    def to_json(self) -> dict[str, object]:
        return {
            "event": self.event.value,
            "userId": self.user_id,
            "profile": self.profile.to_json(),
            "records": [record.to_json() for record in self.records],
            "social": self.social.to_json() if self.social else None,
            "sso": self.sso.to_json() if self.sso else None,
            "mfa": self.mfa.to_json(),
            "ip": self.ip,
            "userAgent": self.user_agent,
            "typed": self.typed.to_json() if self.typed else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Experience:
        typed = mapping(value, "typed")
        return cls(
            event=Event(text(value, "event") or ""),
            user_id=text(value, "userId"),
            profile=PendingProfile.from_json(mapping(value, "profile")),
            records=tuple(VerificationRecord.from_json(item) for item in mappings(value, "records")),
            social=SocialProof.from_json(mapping(value, "social")),
            sso=SsoProof.from_json(mapping(value, "sso")),
            mfa=MfaState.from_json(mapping(value, "mfa")),
            ip=text(value, "ip") or "",
            user_agent=text(value, "userAgent") or "",
            typed=Identifier.from_json(typed) if typed else None,
        )
