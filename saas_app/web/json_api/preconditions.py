"""Versions of what is edited: ``ETag`` and ``If-Match`` (RFC 9110 §13.1.1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from quart import request

from saas_app.errors import BadRequest, PreconditionFailed, PreconditionRequired, VersionConflict
from saas_app.text.translation import _
from saas_app.web.json_api.responses import answers, sends

View = Callable[..., Awaitable[Any]]

IF_MATCH: Final = "_api_if_match"  # of a view: "required" or "optional"
_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST: Final = re.compile(rf"[ \t,]*(?:{_TAG}[ \t]*(?:,[ \t,]*|\Z))*")
"""A list of tags. Empty elements are ignored. The pattern never backtracks, so a long header costs little."""
_ONE: Final = re.compile(_TAG)
_STALE: Final = _("Another change was saved after you read it. Nothing was overwritten.")


@dataclass(frozen=True, slots=True)
class IfMatch:
    """A condition on the resource. Weak tags are left out, because they never match (RFC 9110 §8.8.3.2)."""

    strong: frozenset[str]
    is_any: bool = False

    def allows(self, tag: str) -> bool:
        """Return whether the condition is true for a resource with this ``ETag``, quotes included."""
        return self.is_any or tag in self.strong


def read_if_match(lines: list[str]) -> IfMatch | None:
    """Read the lines of the header. None if there are none. Raises :class:`BadRequest`."""
    if not lines:
        return None
    text = ",".join(lines)
    if text.strip(" \t") == "*":
        return IfMatch(frozenset(), is_any=True)
    tags = _ONE.findall(text)
    if not tags or not _LIST.fullmatch(text):
        raise BadRequest(_('If-Match must be a list of quoted tags, such as "3", "4", or a single *.'))
    return IfMatch(frozenset(tag for tag in tags if not tag.startswith("W/")))


def etag(version: int) -> dict[str, str]:
    """Return the header of a version."""
    return {"ETag": f'"{version}"'}


def etag_of(*parts: str) -> dict[str, str]:
    """Return the header of an item without a version: a digest of everything that an edit would overwrite."""
    return {"ETag": f'"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"'}


def require_match(current: dict[str, str]) -> None:
    """Require that the caller has read the current version. ``current`` is its ``ETag`` header.

    Raises :class:`PreconditionRequired` without ``If-Match``, and :class:`PreconditionFailed` if no tag
    matches.
    """
    if not matches(current):
        raise PreconditionRequired(_("Send If-Match with the ETag of the version you read."))


def matches(current: dict[str, str]) -> bool:
    """Return whether the caller has sent ``If-Match``. If so, it matches the current version.

    Raises :class:`PreconditionFailed` if no tag matches.
    """
    wanted = read_if_match(request.headers.getlist("If-Match"))
    if wanted is None:
        return False
    if not wanted.allows(current["ETag"]):
        raise PreconditionFailed(_STALE)
    return True


def requires_if_match(view: View) -> View:
    """Declare that a view requires ``If-Match``, and respond 412 if another change was saved first."""
    return sends("ETag")(answers(400, 412, 428)(_guarded(view, "required")))


def accepts_if_match(view: View) -> View:
    """Declare that a view accepts ``If-Match``, and respond 412 if another change was saved first."""
    return answers(400, 412)(_guarded(view, "optional"))


def _guarded(view: View, if_match: str) -> View:
    @wraps(view)
    async def guarded(*arguments: Any, **named: Any) -> Any:
        try:
            return await view(*arguments, **named)
        except VersionConflict:
            raise PreconditionFailed(_STALE) from None

    setattr(guarded, IF_MATCH, if_match)
    return guarded
