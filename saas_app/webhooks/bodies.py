"""Reads a delivery of Logto's webhooks, and rejects one whose parts have the wrong types.

The signature was checked before. It proves who wrote the body, not that the body is valid. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NoReturn

import structlog
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from saas_app.errors import BadRequest
from saas_app.identity.claims import is_id
from saas_app.text.cleaning import clean_json
from saas_app.text.translation import _
from saas_app.webhooks.events import WebhookEvent

log = structlog.get_logger(__name__)

ROUTES_WITH_A_USER: Final = frozenset({None, "/users/:userId", "/users/:userId/password"})
"""The routes whose response, and so the event's ``data``, is the whole user (Logto 1.42)."""

_FIRST_YEAR: Final = 2020


@dataclass(frozen=True, slots=True)
class Event:
    """A delivery that was read. Logto may have left parts out."""

    name: str
    created_at: datetime
    body: Mapping[str, Any]

    def find_id(self, *path: str) -> str | None:
        """Return the id at a place in the body, or None if nothing there looks like an id."""
        found: Any = self.body
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found if isinstance(found, str) and is_id(found) else None

    @property
    def data(self) -> Mapping[str, Any]:
        """The part of the event's entity that Logto sent."""
        found = self.body.get("data")
        return found if isinstance(found, Mapping) else {}


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Delivery(_Part):
    """A delivery without its lists of members. An unreadable list means everyone, the safe reading."""

    event: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    createdAt: str  # noqa: N815 - the names are Logto's
    matchedRoute: str | None = None  # noqa: N815
    params: dict[str, str] | None = None
    organizationId: str | None = None  # noqa: N815
    data: dict[str, Any] | list[Any] | None = None


class _OrganizationData(_Part):
    id: str
    name: str
    description: str | None = None
    branding: dict[str, Any] | None = None
    color: dict[str, Any] | None = None


class _UserData(_Part):
    id: str | None = None
    username: str | None = None
    name: str | None = None
    primaryEmail: str | None = None  # noqa: N815
    avatar: str | None = None
    isSuspended: bool | None = None  # noqa: N815


_DATA: Final[Mapping[str, type[_Part]]] = {
    WebhookEvent.ORGANIZATION_CREATED: _OrganizationData,
    WebhookEvent.ORGANIZATION_DATA_UPDATED: _OrganizationData,
    WebhookEvent.USER_DATA_UPDATED: _UserData,
    WebhookEvent.USER_SUSPENSION_STATUS_UPDATED: _UserData,
}


def read_event(content: bytes) -> Event:
    """Return the event in a body, with its texts cleaned.

    Raises :class:`BadRequest` if there is none, or if its parts have the wrong types.
    """
    try:
        body = clean_json(json.loads(content))
        delivery = _Delivery.model_validate(body)
        created_at = _moment(delivery.createdAt)
        _check_data(delivery)
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False)[0]["loc"]
        _refuse(".".join(map(str, where))[:64] or "body")
    except (ValueError, OverflowError, RecursionError):
        _refuse("body or createdAt")
    return Event(delivery.event, created_at, body)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("without an offset")
    moment = moment.astimezone(UTC)
    if moment.year < _FIRST_YEAR:
        raise ValueError("before there was Logto")
    return moment


def _check_data(delivery: _Delivery) -> None:
    model = _DATA.get(delivery.event)
    if delivery.event == WebhookEvent.USER_DATA_UPDATED and delivery.matchedRoute not in ROUTES_WITH_A_USER:
        return
    if model is not None and isinstance(delivery.data, dict) and "id" in delivery.data:
        model.model_validate(delivery.data)


def _refuse(what: str) -> NoReturn:
    log.warning("webhook could not be read", what=what)
    raise BadRequest(_("This is not a webhook from Logto.")) from None
