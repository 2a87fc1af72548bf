"""The browser's cookies. Each has a ``.sig`` cookie that proves that this provider wrote it.

Names and flags are those of Logto 1.42. Their values are defined by the modules that set them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from quart import Request, Response, current_app

INTERACTION: Final = "_interaction"
RESUME: Final = "_interaction_resume"
SESSION: Final = "_session"
EXPERIENCE: Final = "_logto"
DEVICE_FORM: Final = "_logto_device_flow_xsrf"

_GONE = "Thu, 01 Jan 1970 00:00:00 GMT"


@dataclass(frozen=True)
class CookieSigner:
    """A signer of ``name=value``, with a secret of the provider."""

    secret: bytes

    def sign(self, name: str, value: str) -> str:
        digest = hmac.new(self.secret, f"{name}={value}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def is_valid(self, name: str, value: str, signature: str) -> bool:
        return hmac.compare_digest(self.sign(name, value).encode(), signature.encode("utf-8", "replace"))


def read_cookie(request: Request, name: str) -> str | None:
    """Return the cookie's value, or None if it is missing or its signature is wrong."""
    value = request.cookies.get(name) or _raw_cookie(request, name)
    signature = request.cookies.get(f"{name}.sig")
    if value is None or signature is None or not _signer().is_valid(name, value, signature):
        return None
    return value


def _raw_cookie(request: Request, name: str) -> str | None:
    """Return the value as browsers send it: raw JSON, which the framework's parser drops."""
    pairs = (part.strip().partition("=") for part in request.headers.get("Cookie", "").split(";"))
    return next((value for found, _, value in pairs if found == name), None)


def write_cookie(
    response: Response,
    name: str,
    value: str,
    *,
    path: str = "/",
    expires_at_ms: int | None = None,
    http_only: bool = True,
) -> None:
    """Set the cookie and its signature. Without ``expires_at_ms`` it is a session cookie."""
    flags = [f"path={path}"]
    if expires_at_ms is not None:
        moment = datetime.fromtimestamp(expires_at_ms / 1000, UTC)
        flags.append(f"expires={moment:%a, %d %b %Y %H:%M:%S} GMT")
    flags.append("samesite=lax")
    if http_only:
        flags.append("httponly")
    _add(response, name, value, flags)


def clear_cookie(response: Response, name: str, *, path: str = "/") -> None:
    _add(response, name, "", [f"path={path}", f"expires={_GONE}", "samesite=lax", "httponly"])


def _add(response: Response, name: str, value: str, flags: list[str]) -> None:
    # Values are raw JSON, as Logto sends them. The framework's helper would quote them.
    for cookie, content in ((name, value), (f"{name}.sig", _signer().sign(name, value))):
        response.headers.add("Set-Cookie", "; ".join([f"{cookie}={content}", *flags]))


def _signer() -> CookieSigner:
    signer: CookieSigner = current_app.extensions["cookie_signer"]
    return signer
