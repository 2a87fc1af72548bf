"""Edits say which version they change: ``ETag`` and ``If-Match`` (RFC 9110 §13.1.1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from quart import request

from saas_app.errors import PreconditionFailed, PreconditionRequired, VersionConflict
from saas_app.web.json_api.responses import answers, sends

View = Callable[..., Awaitable[Any]]

CHANGES_VERSION: Final = "_api_changes_version"
_STRONG_TAG = re.compile(r'"([0-9]{1,9})"')


def etag(version: int) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}


def etag_of(*parts: str) -> dict[str, str]:
    """The header for what has no version of its own: a digest of all that an edit would overwrite."""
    return {"ETag": f'"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"'}


def required_version() -> int:
    """The version this request changes.

    Raises :class:`PreconditionRequired` without ``If-Match`` and :class:`PreconditionFailed` when what it
    says can be no version of ours: ``*`` and weak tags would overwrite what nobody has seen.
    """
    found = _STRONG_TAG.fullmatch(_required_tag())
    if found is None:
        raise PreconditionFailed("If-Match does not name a version of this. Read it again.")
    return int(found[1])


def require_match(current: dict[str, str]) -> None:
    """Refuse a change of what is not as the caller has read it; ``current`` is from :func:`etag_of`."""
    if _required_tag() != current["ETag"]:
        raise PreconditionFailed("It was changed since you read it. Nothing was overwritten.")


def _required_tag() -> str:
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired("Send If-Match with the ETag of the version you have read.")
    return header.strip()


def changes_version(view: View) -> View:
    """For views that edit over a version: a lost race is 412, and nothing was changed."""

    @wraps(view)
    async def guarded(*arguments: Any, **named: Any) -> Any:
        try:
            return await view(*arguments, **named)
        except VersionConflict:
            raise PreconditionFailed("It was changed since you read it. Nothing was overwritten.") from None

    setattr(guarded, CHANGES_VERSION, True)
    return sends("ETag")(answers(412, 428)(guarded))
