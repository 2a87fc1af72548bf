"""The part of single sign-on in a sign-in: what is checked after Logto named the person, before a session.

The feature itself is :mod:`saas_app.single_sign_on`. It knows the organizations' identity providers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Arrival:
    """A person whom Logto has just named. ``sid`` is their browser's session there, as the ID token says."""

    subject: str
    sid: str | None


@dataclass(frozen=True, slots=True)
class SsoTest:
    """A sign-in that tests an organization's connection, by a person who is signed in here already.

    ``revision`` says which state of the connection is tested. It is over when the provider is changed.
    """

    organization_id: str
    tester: str
    revision: str


class Arrivals(Protocol):
    """Decides on people who may have signed in at a company's identity provider.

    Both methods raise :class:`saas_app.errors.SignInFailed` for a person who must not come in, and
    :class:`saas_app.errors.LogtoUnavailable` if that cannot be found out now.
    """

    async def admit(self, arrival: Arrival) -> str | None:
        """Return the enterprise connector through which a person came, or None if they came another way."""

    async def finish_test(self, arrival: Arrival, test: SsoTest, present: str | None) -> None:
        """Complete a test. ``present`` is the person who is signed in here, in the same browser."""
