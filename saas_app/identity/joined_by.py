"""Why somebody is a member without an invitation, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JoinedBy:
    """The email domain that made somebody a member.

    ``provider`` is the name of the identity provider if they joined through single sign-on.
    """

    domain: str
    provider: str | None = None
