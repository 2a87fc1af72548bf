"""Where a person is signed in: the sessions at the sign-in provider and ours, merged into devices.

One browser has one session at Logto, and one or more with us that name it by its ``sid``. A session of ours
whose ``sid`` Logto does not list is a device of its own; so is a session at Logto that never led here.
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
    """One browser. ``provider_uid`` is its session at Logto; ``own`` are its sessions here, latest first."""

    provider_uid: str | None
    own: tuple[OwnSession, ...]
    signed_in_at: datetime | None
    last_used_at: datetime | None
    address: str
    user_agent: str

    @property
    def id(self) -> str:
        """What a form names the device by: a session here where there is one, which we know ourselves."""
        return str(self.own[0].id) if self.own else self.provider_uid or ""

    @property
    def is_current(self) -> bool:
        return any(session.is_current for session in self.own)

    @property
    def session_ids(self) -> tuple[UUID, ...]:
        return tuple(session.id for session in self.own)

    def is_called(self, device_id: str) -> bool:
        """Whether a form means this device: by any of its sessions, here or at Logto."""
        return device_id == self.provider_uid or any(str(session.id) == device_id for session in self.own)


@dataclass(frozen=True, slots=True)
class ProviderFailure:
    """Why something was not done at Logto, in a sentence; ``can_retry`` when trying again may help."""

    detail: str
    can_retry: bool


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The devices, this one first, then the latest used. ``failure``: why Logto's are not among them."""

    devices: tuple[Device, ...]
    failure: ProviderFailure | None = None

    def find(self, device_id: str) -> Device | None:
        return next((device for device in self.devices if device.is_called(device_id)), None)


def merge(own: Sequence[OwnSession], at_provider: Iterable[BrowserSession], client_id: str) -> list[Device]:
    """The devices behind these sessions; ``client_id`` is ours at Logto."""
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
    )


def _latest_first(device: Device) -> tuple[bool, float]:
    seen = device.last_used_at or device.signed_in_at or _EARLIEST
    return not device.is_current, -seen.timestamp()
