"""The emailed link: what it proves, how long it signs in, and what it looks like in a log."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from saas_app.config import load_settings
from saas_app.db.base import utc_now
from saas_app.errors import ConfigurationError
from saas_app.identity.vault import Vault, fingerprint
from saas_app.invitations.links import InvitationLinks, MailedLink
from saas_app.logto import Invitation

HOUR = timedelta(hours=1)
WEEK = 7 * 86_400.0  # seconds


@pytest.fixture
def links() -> InvitationLinks:
    return InvitationLinks("https://work.example", Vault([SecretStr(Fernet.generate_key().decode())]), HOUR)


def invitation(seconds: float = WEEK) -> Invitation:
    """Return an invitation that expires after so many seconds."""
    now = time.time() * 1000
    return Invitation.read(
        {
            "id": "inv1",
            "invitee": "nia@example.com",
            "organizationId": "org1",
            "organizationRoles": [],
            "status": "Pending",
            "createdAt": int(now),
            "expiresAt": int(now + seconds * 1000),
        }
    )


def proof_in(link: MailedLink) -> str:
    """Return the proof in the address of a link."""
    return parse_qs(urlsplit(link.url).query)["mail"][0]


def test_a_proof_names_the_address_and_finds_what_is_stored(links: InvitationLinks) -> None:
    link = links.mailed(invitation())

    proof = links.read("inv1", proof_in(link))

    assert proof is not None
    assert (proof.address, proof.organization_id) == ("nia@example.com", "org1")
    assert proof.secret_hash == link.secret_hash


def test_each_link_has_a_secret_of_its_own(links: InvitationLinks) -> None:
    one, other = links.mailed(invitation()), links.mailed(invitation())
    assert one.secret_hash != other.secret_hash
    secret = json.loads(links.vault.find(proof_in(one)) or "")[-1]
    assert fingerprint(secret) == one.secret_hash
    assert len(secret) >= 43  # 256 bits


def test_a_proof_belongs_to_one_invitation(links: InvitationLinks) -> None:
    assert links.read("inv2", proof_in(links.mailed(invitation()))) is None


@pytest.mark.parametrize(("seconds", "lifetime"), [(WEEK, HOUR), (60.0, timedelta(minutes=1))])
def test_a_link_ends_after_its_lifetime_or_with_the_invitation(
    links: InvitationLinks, seconds: float, lifetime: timedelta
) -> None:
    ends_in = links.mailed(invitation(seconds)).expires_at - utc_now()
    assert lifetime - timedelta(seconds=10) < ends_in <= lifetime


def test_a_link_does_not_show_its_secret_when_it_is_logged(links: InvitationLinks) -> None:
    link = links.mailed(invitation())
    assert proof_in(link) not in repr(link)


@pytest.fixture
def _complete(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGTO_APP_ID", "LOGTO_APP_SECRET"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LOGTO_ENDPOINT", "https://logto.example")
    monkeypatch.setenv("APP_ENCRYPTION_KEYS", Fernet.generate_key().decode())


@pytest.mark.usefixtures("_complete")
@pytest.mark.parametrize("seconds", ["600", "3600", "86400"])
def test_a_link_signs_in_for_ten_minutes_to_a_day(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVITATION_LINK_LIFETIME", seconds)
    assert load_settings().invitation_link_lifetime == int(seconds)


@pytest.mark.usefixtures("_complete")
@pytest.mark.parametrize("seconds", ["0", "-1", "599", "86401", "1 hour"])
def test_other_lifetimes_are_rejected(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVITATION_LINK_LIFETIME", seconds)
    with pytest.raises(ConfigurationError, match="INVITATION_LINK_LIFETIME"):
        load_settings()
