"""The part of single sign-on in a sign-in: what is checked after Logto named the person, before a session.

The feature itself is :mod:`saas_app.single_sign_on`. It knows the organizations' identity providers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Arrival:
    """A person whom Logto has just named. ``sid`` is their browser's session there, as the ID token says.

    ``is_silent``: it does not say that Logto asked who they are.
    """

    subject: str
    sid: str | None
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    """How a person signed in who was let in.

    ``connector_id`` is the enterprise connector, or None if they came another way, and ``since`` tells from
    when on the connection was on. ``roles_changed``: their membership or roles at Logto were changed after it
    issued the ID token, which names the old ones.
    """

    connector_id: str | None = None
    since: str = ""
    roles_changed: bool = False


class Arrivals(Protocol):
    """Checks people who may have signed in at a company's identity provider."""

    async def admit(self, arrival: Arrival) -> Admission:
        """Return how a person came in.

        Raises :class:`saas_app.errors.SignInFailed` for a person who must not come in,
        :class:`saas_app.errors.SignInAgain` for one who first has to say who they are, and
        :class:`saas_app.errors.LogtoUnavailable` if that cannot be found out now.
        """
