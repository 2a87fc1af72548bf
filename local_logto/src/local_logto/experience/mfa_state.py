"""The state of second factors in one sign-in: proofs, and pending changes. Pure data.

It is part of ``state``; ``mfa_policy`` decides what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from local_logto.experience.json_access import boolean, mappings, strings, text
from local_logto.second_factors import BACKUP_CODE, EMAIL_CODE, PHONE_CODE, TOTP

_RECORD_TYPES = {
    TOTP: "Totp",
    BACKUP_CODE: "BackupCode",
    EMAIL_CODE: "MfaEmailVerificationCode",
    PHONE_CODE: "MfaPhoneVerificationCode",
}
_ADDRESS_TYPES = {EMAIL_CODE: "email", PHONE_CODE: "phone"}


@dataclass(frozen=True)
class MfaProof:
    """One verification of a factor of ``kind``.

    ``secret`` and ``codes`` belong to a factor that is being enrolled. ``recipient`` is where a code was
    sent.
    """

    id: str
    kind: str
    user_id: str
    is_verified: bool = False
    secret: str | None = None
    codes: tuple[str, ...] = ()
    recipient: str | None = None

    @property
    def proves_sign_in(self) -> bool:
        """Whether this proves a factor that the account already had. A factor that is being enrolled doesn't
        count.
        """
        return self.is_verified and self.secret is None

    def to_public_json(self) -> dict[str, object]:
        """Return it as ``GET /api/experience/interaction`` shows it, without secret and codes."""
        shown: dict[str, object] = {"id": self.id, "type": _RECORD_TYPES[self.kind]}
        if self.kind in _ADDRESS_TYPES:
            identifier = {"type": _ADDRESS_TYPES[self.kind], "value": self.recipient}
            return {**shown, "identifier": identifier, "verified": self.is_verified}
        shown["userId"] = self.user_id
        return shown if self.kind == BACKUP_CODE else {**shown, "verified": self.is_verified}

    def to_json(self) -> dict[str, object]:
        return {**vars(self), "codes": list(self.codes)}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> MfaProof:
        return cls(
            id=text(value, "id") or "",
            kind=text(value, "kind") or "",
            user_id=text(value, "user_id") or "",
            is_verified=boolean(value, "is_verified", default=False),
            secret=text(value, "secret"),
            codes=strings(value, "codes"),
            recipient=text(value, "recipient"),
        )


@dataclass(frozen=True)
class MfaState:
    """The proofs, one per kind, a new authenticator's secret, new backup codes, and the person's choices."""

    proofs: tuple[MfaProof, ...] = ()
    totp_secret: str | None = None
    backup_codes: tuple[str, ...] = ()
    is_enabled: bool = False
    is_skipped: bool = False

    @property
    def pending_kinds(self) -> tuple[str, ...]:
        """The kinds of factor that this sign-in will store."""
        pending = ((TOTP, self.totp_secret), (BACKUP_CODE, self.backup_codes))
        return tuple(kind for kind, details in pending if details)

    @property
    def choices(self) -> dict[str, bool]:
        """The choices about MFA that the account will store, under Logto's names."""
        chosen = {"enabled": self.is_enabled, "skipped": self.is_skipped}
        return {name: True for name, is_chosen in chosen.items() if is_chosen}

    def with_proof(self, proof: MfaProof) -> MfaState:
        """Return the state with this proof, which replaces one of the same kind."""
        others = tuple(known for known in self.proofs if known.kind != proof.kind)
        return replace(self, proofs=(*others, proof))

    def find_proof(self, kind: str, proof_id: str | None = None) -> MfaProof | None:
        """Return the proof of this kind, and with this ID if one is given."""
        return next(
            (proof for proof in self.proofs if proof.kind == kind and proof_id in (None, proof.id)), None
        )

    def to_public_json(self) -> dict[str, object]:
        """Return ``mfa`` of ``GET /api/experience/interaction``."""
        shown: dict[str, object] = {
            name: True
            for name, is_set in (("mfaEnabled", self.is_enabled), ("mfaSkipped", self.is_skipped))
            if is_set
        }
        names = {TOTP: "totp", BACKUP_CODE: "backupCode"}
        return shown | {names[kind]: {"type": kind} for kind in self.pending_kinds}

    def to_json(self) -> dict[str, object]:
        proofs = [proof.to_json() for proof in self.proofs]
        return {**vars(self), "proofs": proofs, "backup_codes": list(self.backup_codes)}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> MfaState:
        return cls(
            proofs=tuple(MfaProof.from_json(item) for item in mappings(value, "proofs")),
            totp_secret=text(value, "totp_secret"),
            backup_codes=strings(value, "backup_codes"),
            is_enabled=boolean(value, "is_enabled", default=False),
            is_skipped=boolean(value, "is_skipped", default=False),
        )
