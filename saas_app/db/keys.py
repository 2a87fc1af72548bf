"""Keys: which rows of people and sessions a transaction may see.

Such rows belong to no organization. A transaction names one key, and row-level security on PostgreSQL hides
every other row of these tables; see :mod:`saas_app.db.row_security`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import NewType

Key = NewType("Key", str)
"""The name of a kind of key, a colon, and the value."""


def of_cookie(fingerprint: bytes) -> Key:
    """Return the key of the session whose cookie has this hash."""
    return Key(f"cookie:{fingerprint.hex()}")


def of_session(session_id: uuid.UUID) -> Key:
    """Return the key of one session, and of what it stores."""
    return Key(f"session:{session_id}")


def of_logto_session(sid: str) -> Key:
    """Return the key of the sessions that belong to one session at Logto."""
    return Key(f"sid:{sid}")


def of_person(subject: str) -> Key:
    """Return the key of a person: their name, sessions, waiting forms and memberships."""
    return Key(f"person:{subject}")


def of_domain(domain: str) -> Key:
    """Return the key of the organization that holds a verified email domain."""
    return Key(f"domain:{domain}")


def of_connector(connector_id: str) -> Key:
    """Return the key of the organization whose people sign in through an enterprise connector."""
    return Key(f"connector:{connector_id}")


def of_organizations(organization_ids: Iterable[str]) -> Key:
    """Return the key of the names of these organizations, whose ids contain no comma."""
    return Key(f"organizations:{','.join(organization_ids)}")


def of_class(code: str) -> Key:
    """Return the key of a class of the lab: its learners, and what they predicted in it."""
    return Key(f"class:{code}")


def of_support_desk() -> Key:
    """Return the key of the choices of all organizations that allow support access."""
    return Key("support:desk")
