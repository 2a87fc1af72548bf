"""The frozen values that the parts of this feature hand to each other, and its errors."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from saas_app.errors import Invalid, NotFound
from saas_app.text.branding import Branding
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

DURATION: Final = timedelta(minutes=10)
"""How long one support access lasts."""

RETENTION: Final = timedelta(days=90)
"""How far back pages show support accesses. The audit log shows older ones too."""

LONGEST_CONSENT: Final = timedelta(days=365)
"""The longest time for which an organization can allow support access, unless it does so without an end."""

REASON_LENGTH: Final = 500
TICKET_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether an organization allows support access, until when, and whether it includes changes.

    ``until`` is None if it is allowed until somebody turns it off.
    """

    is_allowed: bool = False
    until: datetime | None = None
    writes: bool = False

    def is_live(self, now: datetime) -> bool:
        """Return whether support access can begin now."""
        return self.is_allowed and (self.until is None or self.until > now)


@dataclass(frozen=True, slots=True)
class ConsentChoice:
    """What an organization chose to allow, until a moment or, without one, until somebody turns it off."""

    until: datetime | None
    writes: bool


@dataclass(frozen=True, slots=True)
class AccessRow:
    """A support access in a list. ``ended_by_name`` names who ended it early."""

    id: uuid.UUID
    organization_id: str
    agent_id: str
    agent_name: str
    member_id: str
    member_name: str
    reason: str
    ticket: str
    writes: bool
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_by_name: str | None

    def is_live(self, now: datetime) -> bool:
        """Return whether the access has neither ended nor been ended."""
        return self.ended_at is None and self.ends_at > now

    @property
    def is_over(self) -> Sentence:
        """Say that it has ended."""
        return _(
            "%(agent)s is no longer acting for %(member)s.",
            agent=isolated(self.agent_name),
            member=isolated(self.member_name),
        )


@dataclass(frozen=True, slots=True)
class OpenOrganization:
    """An organization that allows support access now."""

    id: str
    name: str
    branding: Branding
    consent: Consent


@dataclass(frozen=True, slots=True)
class AgentAccess:
    """An own access of an agent, with the name of its organization."""

    row: AccessRow
    organization_name: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent asks for. ``member`` is a user id of the organization's member."""

    organization_id: str
    member_id: str
    reason: str
    ticket: str
    writes: bool


class NotAllowed(NotFound):
    """The organization does not allow support access, or does not exist. Agents cannot tell which."""

    title = _("This organization does not allow support access")

    def __init__(self) -> None:
        super().__init__(_("Its admins can turn on support access in its settings. Nothing was started."))


class OutlastsOwnAccess(Invalid):
    """The caller can change settings for less long than they would allow support access."""

    def __init__(self, organization_name: str, latest: datetime) -> None:
        super().__init__(
            _(
                "You can change the settings of %(organization)s only until %(time)s. You can allow support "
                "access only with an end that is not later. Nothing was changed.",
                organization=isolated(organization_name),
                time=latest.strftime("%Y-%m-%d %H:%M UTC"),
            )
        )


class AccessNotFound(NotFound):
    """There is no such support access in the organization."""

    title = _("Support access not found")

    def __init__(self) -> None:
        super().__init__(_("It may have been started more than 90 days ago."))


class NoSuchMember(Invalid):
    """No member of the organization has this email address, username or user ID."""

    def __init__(self, organization_name: str) -> None:
        problem: Sentence = _(
            "No member of %(organization)s has this email address, username or user ID.",
            organization=isolated(organization_name),
        )
        super().__init__(problem, fields={"member": problem})
