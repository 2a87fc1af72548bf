"""The devices on which a person is signed in: sessions at Logto and in Workroom, merged.

One browser has one session at Logto, and one or more in Workroom that name it by its ``sid``. A session in
Workroom whose ``sid`` Logto does not list is a separate device, and so is a session that exists only at
Logto.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from saas_app.identity.sessions import OwnSession
from saas_app.logto import BrowserSession

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Device:
    """A browser. ``provider_uid`` is its session at Logto; ``own`` are its sessions here, latest first.

    ``sso_connector_id`` is the enterprise connector through which the person signed in, if they did.
    """

    provider_uid: str | None
    own: tuple[OwnSession, ...]
    signed_in_at: datetime | None
    last_used_at: datetime | None
    address: str
    user_agent: str
    sso_connector_id: str | None = None

    @property
    def id(self) -> str:
        """The id that a form sends: of a session here if there is one, else of the session at Logto."""
        return str(self.own[0].id) if self.own else self.provider_uid or ""

    @property
    def is_current(self) -> bool:
        return any(session.is_current for session in self.own)

    @property
    def session_ids(self) -> tuple[UUID, ...]:
        return tuple(session.id for session in self.own)

    def has_id(self, device_id: str) -> bool:
        """Return whether this is the id of one of the device's sessions, here or at Logto."""
        return device_id == self.provider_uid or any(str(session.id) == device_id for session in self.own)


@dataclass(frozen=True, slots=True)
class ProviderFailure:
    """Why something was not done at Logto, in a sentence. ``can_retry``: another attempt may succeed."""

    detail: str
    can_retry: bool


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The devices: the current one, then the most recently used. ``failure``: why Logto's are missing."""

    devices: tuple[Device, ...]
    failure: ProviderFailure | None = None

    def find(self, device_id: str) -> Device | None:
        return next((device for device in self.devices if device.has_id(device_id)), None)


def merge(own: Sequence[OwnSession], at_provider: Iterable[BrowserSession], client_id: str) -> list[Device]:
    """Return the devices of these sessions. ``client_id`` is Workroom's application at Logto."""
    left = list(own)
    devices = []
    for browser in at_provider:
        sid = browser.sids.get(client_id)
        its_own = [session for session in left if sid is not None and session.logto_session_id == sid]
        left = [session for session in left if session not in its_own]
        devices.append(_device(its_own, browser))
    while left:
        sid = left[0].logto_session_id
        its_own = [one for one in left if one is left[0] or (sid and one.logto_session_id == sid)]
        left = [session for session in left if session not in its_own]
        devices.append(_device(its_own, None))
    return sorted(devices, key=_latest_first)


def _device(own: Sequence[OwnSession], browser: BrowserSession | None) -> Device:
    latest_first = tuple(sorted(own, key=lambda session: session.last_seen_at, reverse=True))
    latest = latest_first[0] if latest_first else None
    since = min((session.created_at for session in own), default=None)
    return Device(
        provider_uid=browser.uid if browser else None,
        own=latest_first,
        signed_in_at=(browser.signed_in_at if browser else None) or since,
        last_used_at=latest.last_seen_at if latest else None,
        address=latest.address if latest else browser.address if browser else "",
        user_agent=latest.user_agent if latest else browser.user_agent if browser else "",
        sso_connector_id=latest.sso_connector_id if latest else _connector_of(browser),
    )


def _connector_of(browser: BrowserSession | None) -> str | None:
    return browser.sso.connector_id if browser and browser.sso else None


def _latest_first(device: Device) -> tuple[bool, float]:
    seen = device.last_used_at or device.signed_in_at or _EARLIEST
    return not device.is_current, -seen.timestamp()
