"""The authenticated caller, as a frozen value."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SupportAgent:
    """The member of the support team who acts for a principal, in one organization, until ``ends_at``."""

    id: str
    name: str
    access_id: uuid.UUID
    ticket: str
    ends_at: datetime
    may_write: bool


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or a program that has proved its identity. ``subject`` is the ``sub`` claim.

    For a person, that is the user id at Logto; for a machine, its client id. ``client_id`` is the client that
    a bearer token was issued to, which for a machine is the machine itself. ``support`` is the agent who acts
    for the person, if it is not the person themselves.
    """

    subject: str
    name: str | None = None
    username: str | None = None
    email: str | None = None
    picture: str | None = None
    is_machine: bool = False
    client_id: str | None = None
    support: SupportAgent | None = None

    @property
    def display_name(self) -> str:
        """The name to display: the name, username, email address or id, whichever exists first."""
        return self.name or self.username or self.email or self.subject

    @property
    def requester(self) -> str:
        """A key of whose requests these are: the subject's, or those of an agent in one support access."""
        return self.subject if self.support is None else str(self.support.access_id)

    @property
    def credential(self) -> str:
        """A key that tells apart the callers of one subject: a client here, a session in the subclass."""
        return self.client_id or self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPrincipal(Principal):
    """A person in a signed-in browser. ``has_unread``: a notification waits for them.

    ``sso_connector_id`` is the enterprise connector through which they signed in, if they did so that way.
    ``granted_at`` is when that was last checked: at the sign-in, or at a renewal.
    """

    session_id: uuid.UUID
    has_unread: bool = False
    sso_connector_id: str | None = None
    granted_at: datetime | None = None

    @property
    def credential(self) -> str:
        """The browser session."""
        return str(self.session_id)
