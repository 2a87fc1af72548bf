"""Edits say which version they change: ``ETag`` and ``If-Match`` (RFC 9110 §13.1.1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from quart import request

from saas_app.errors import BadRequest, PreconditionFailed, PreconditionRequired, VersionConflict
from saas_app.web.json_api.responses import answers, sends

View = Callable[..., Awaitable[Any]]

CHANGES_VERSION: Final = "_api_changes_version"  # takes If-Match: "required" or "optional"
_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST: Final = re.compile(rf"[ \t,]*(?:{_TAG}[ \t]*(?:,[ \t,]*|\Z))*")
"""Empty elements count for none. It reads each character in one way only, so a long header takes no time."""
_ONE: Final = re.compile(_TAG)
_STALE: Final = "Another change was saved after you read it. Nothing was overwritten."


@dataclass(frozen=True, slots=True)
class IfMatch:
    """What the resource must be. Weak tags are left out: they never match (RFC 9110 §8.8.3.2)."""

    strong: frozenset[str]
    is_any: bool = False

    def allows(self, tag: str) -> bool:
        """Return whether the condition is true for a resource whose ``ETag`` is this, quotes included."""
        return self.is_any or tag in self.strong


def read_if_match(lines: list[str]) -> IfMatch | None:
    """Read the header, which may stand on several lines. None without it. Raises :class:`BadRequest`."""
    if not lines:
        return None
    text = ",".join(lines)
    if text.strip(" \t") == "*":
        return IfMatch(frozenset(), is_any=True)
    tags = _ONE.findall(text)
    if not tags or not _LIST.fullmatch(text):
        raise BadRequest('If-Match must be a list of quoted tags, such as "3", "4", or a single *.')
    return IfMatch(frozenset(tag for tag in tags if not tag.startswith("W/")))


def etag(version: int) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}


def etag_of(*parts: str) -> dict[str, str]:
    """The header for what has no version of its own: a digest of all that an edit would overwrite."""
    return {"ETag": f'"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"'}


def require_match(current: dict[str, str]) -> None:
    """Refuse a change of what is not as the caller has read it; ``current`` holds its ``ETag``.

    Raises :class:`PreconditionRequired` without ``If-Match``, :class:`PreconditionFailed` when no tag fits.
    """
    if not matches(current):
        raise PreconditionRequired("Send If-Match with the ETag of the version you read.")


def matches(current: dict[str, str]) -> bool:
    """Return whether ``If-Match`` is sent and fits; False without it, where the caller names no version.

    Raises :class:`PreconditionFailed` when no tag fits.
    """
    wanted = read_if_match(request.headers.getlist("If-Match"))
    if wanted is None:
        return False
    if not wanted.allows(current["ETag"]):
        raise PreconditionFailed(_STALE)
    return True


def changes_version(view: View) -> View:
    """For views that edit over a version: a lost race is 412, and nothing was changed."""
    return sends("ETag")(answers(400, 412, 428)(_guarded(view, "required")))


def heeds_version(view: View) -> View:
    """For views that change whatever there is, or only the version that ``If-Match`` names: else 412."""
    return answers(400, 412)(_guarded(view, "optional"))


def _guarded(view: View, if_match: str) -> View:
    @wraps(view)
    async def guarded(*arguments: Any, **named: Any) -> Any:
        try:
            return await view(*arguments, **named)
        except VersionConflict:
            raise PreconditionFailed(_STALE) from None

    setattr(guarded, CHANGES_VERSION, if_match)
    return guarded
