"""The part of single sign-on in a sign-in: what is checked after Logto named the person, before a session.

The feature itself is :mod:`saas_app.single_sign_on`. It knows the organizations' identity providers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Arrival:
    """A person whom Logto has just named. ``sid`` is their browser's session there, as the ID token says.

    ``renews_own_session``: the browser has a session of this person here, which is only renewed. They did not
    sign in, and gain nothing that the session does not have.
    """

    subject: str
    sid: str | None
    renews_own_session: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    """How a person who may come in signed in.

    ``connector_id`` is the enterprise connector, or None if they came another way. ``roles_changed``: their
    membership or roles at Logto were changed after it issued the ID token, which names the old ones.
    """

    connector_id: str | None = None
    roles_changed: bool = False


@dataclass(frozen=True, slots=True)
class SsoTest:
    """A sign-in that tests an organization's connection, by a person who is signed in here already.

    ``revision`` says which state of the connection is tested. It is over when the provider is changed.
    """

    organization_id: str
    tester: str
    revision: str


class Arrivals(Protocol):
    """Checks people who may have signed in at a company's identity provider.

    Both methods raise :class:`saas_app.errors.SignInFailed` for a person who must not come in, and
    :class:`saas_app.errors.LogtoUnavailable` if that cannot be found out now.
    """

    async def admit(self, arrival: Arrival) -> Admission:
        """Return how a person came in."""

    async def finish_test(self, arrival: Arrival, test: SsoTest, present: str | None) -> None:
        """Complete a test. ``present`` is the person who is signed in here, in the same browser."""
