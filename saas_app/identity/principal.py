"""The authenticated caller, as a value."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """A person in a signed-in browser. ``subject`` is Logto's user id, the ``sub`` claim."""

    subject: str
    session_id: uuid.UUID
    name: str | None = None
    username: str | None = None
    email: str | None = None

    @property
    def display_name(self) -> str:
        """What to call them: name, else username, else e-mail, else the bare id."""
        return self.name or self.username or self.email or self.subject

    @property
    def initials(self) -> str:
        """One or two letters for the avatar."""
        words = self.display_name.replace("@", " ").split()
        return "".join(word[0] for word in words[:2]).upper() or "?"
