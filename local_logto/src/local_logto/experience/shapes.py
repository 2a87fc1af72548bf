"""The request bodies of the Experience API, declared for ``management.guard``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_logto.experience.sign_in_experience import IDENTIFIER_TYPES
from local_logto.experience.state import Event
from local_logto.experience.username_policy import USERNAME_PATTERN
from local_logto.faults import Issue, Path, report
from local_logto.values import AnyObject, Choice, Exactly, Flag, Shape, Text


@dataclass(frozen=True)
class ByType:
    """An object whose ``type`` decides which other members it has."""

    shapes: Mapping[str, Shape]

    def check(self, value: object, path: Path, issues: list[Issue]) -> Any:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(kind, str) or kind not in self.shapes:
            expected = " | ".join(f"'{option}'" for option in self.shapes)
            message = f"Invalid discriminator value. Expected {expected}"
            code, options = "invalid_union_discriminator", list(self.shapes)
            report(issues, (*path, "type"), code=code, options=options, message=message)
            return value
        return {"type": kind, **self.shapes[kind].check(value, path, issues)}


_RECIPIENT = ByType(
    {
        "email": Shape({"value": Text(max=256, pattern=r"\S+@\S+\.\S+")}),
        "phone": Shape({"value": Text(pattern=r"\d+")}),
    }
)
_EVENT = Choice(tuple(event.value for event in Event))
_USERNAME = Text(pattern=USERNAME_PATTERN)

BEGIN = Shape({"interactionEvent": _EVENT})
CHECK_PASSWORD = Shape(
    {
        "identifier": Shape({"type": Choice(IDENTIFIER_TYPES), "value": Text()}),
        "password": Text(min=1),
    }
)
NEW_PASSWORD_IDENTITY = Shape(
    {"identifier": Shape({"type": Exactly("username"), "value": _USERNAME}), "password": Text()}
)
SEND_CODE = Shape({"identifier": _RECIPIENT, "interactionEvent": _EVENT})
CHECK_CODE = Shape({"identifier": _RECIPIENT, "verificationId": Text(), "code": Text()})
USE_ONE_TIME_TOKEN = Shape(
    {
        "identifier": Shape({"type": Exactly("email"), "value": Text(max=256, pattern=r"\S+@\S+\.\S+")}),
        "token": Text(min=1),
    }
)
ADD_TO_PROFILE = ByType(
    {
        "username": Shape({"value": _USERNAME}),
        "password": Shape({"value": Text()}),
        "email": Shape({"verificationId": Text()}),
        "phone": Shape({"verificationId": Text()}),
        "social": Shape({"verificationId": Text()}),
    }
)
REPLACE_PASSWORD = Shape({"password": Text()})
IDENTIFY = Shape(optional={"verificationId": Text(), "linkSocialIdentity": Flag()})
LEAVE_FOR_PROVIDER = Shape({"state": Text(), "redirectUri": Text()})
RETURN_FROM_PROVIDER = Shape({"connectorData": AnyObject()}, {"verificationId": Text()})
RETURN_FROM_COMPANY = Shape({"connectorData": AnyObject(), "verificationId": Text()})
FIND_CONNECTORS = Shape({"email": Text(is_email=True)})
