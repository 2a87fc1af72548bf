"""Security headers: they make the browser block what our pages never do."""

from __future__ import annotations

from quart import Request, Response

from saas_app.config import Settings
from saas_app.web.origin import origin_of
from saas_app.web.rules import Finish

_HSTS = "max-age=31536000"  # a year; without subdomains, which others may run
_FEATURES = ("browsing-topics", "camera", "display-capture", "geolocation", "microphone", "payment", "usb")


def content_security_policy(settings: Settings) -> str:
    """Return the policy: everything but pictures from our own origin, and nothing inline (CSP Level 3).

    Browsers check ``form-action`` on redirects too, so signing out and renewing access by a form need
    Logto's origin there.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: https:",  # pictures of people and logos of organizations, anywhere
            "font-src 'self'",
            "connect-src 'self'",
            f"form-action 'self' {origin_of(settings.logto_endpoint)}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def headers_added(settings: Settings) -> Finish:
    """Return what adds the headers to every response, including errors."""
    fixed = {
        "Content-Security-Policy": content_security_policy(settings),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
    }
    if settings.is_tls:
        fixed["Strict-Transport-Security"] = _HSTS

    def add_headers(_request: Request, response: Response) -> None:
        for name, value in fixed.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", "no-store")  # static files set their own

    return add_headers
