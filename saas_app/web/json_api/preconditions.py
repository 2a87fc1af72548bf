"""Edits say which version they change: ``ETag`` and ``If-Match`` (RFC 9110 §13.1.1)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from quart import request

from saas_app.errors import PreconditionFailed, PreconditionRequired, VersionConflict
from saas_app.web.json_api.responses import answers

View = Callable[..., Awaitable[Any]]

CHANGES_VERSION: Final = "_api_changes_version"
_STRONG_TAG = re.compile(r'"(\d{1,9})"')


def etag(version: int) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}


def required_version() -> int:
    """The version this request changes.

    Raises :class:`PreconditionRequired` without ``If-Match`` and :class:`PreconditionFailed` when what it
    says can be no version of ours: ``*`` and weak tags would overwrite what nobody has seen.
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired("Send If-Match with the ETag of the version you have read.")
    found = _STRONG_TAG.fullmatch(header.strip())
    if found is None:
        raise PreconditionFailed("If-Match does not name a version of this. Read it again.")
    return int(found[1])


def changes_version(view: View) -> View:
    """For views that edit over a version: a lost race is 412, and nothing was changed."""

    @wraps(view)
    async def guarded(*arguments: Any, **named: Any) -> Any:
        try:
            return await view(*arguments, **named)
        except VersionConflict:
            raise PreconditionFailed("It was changed since you read it. Nothing was overwritten.") from None

    setattr(guarded, CHANGES_VERSION, True)
    return answers(412, 428)(guarded)
