"""Security headers: they make the browser block what our pages never do."""

from __future__ import annotations

from quart import Quart, Response

from saas_app.config import Settings
from saas_app.web.origin import origin_of

_HSTS = "max-age=31536000"  # a year; without subdomains, which others may run
_FEATURES = ("browsing-topics", "camera", "display-capture", "geolocation", "microphone", "payment", "usb")


def content_security_policy(settings: Settings) -> str:
    """Return the policy: everything from our own origin, and nothing inline (CSP Level 3).

    Browsers check ``form-action`` on redirects too, so signing out and renewing access by a form need
    Logto's origin there.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            f"form-action 'self' {origin_of(settings.logto_endpoint)}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def init(app: Quart, settings: Settings) -> None:
    """Add the headers to every response, including errors."""
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

    @app.after_request
    async def add_headers(response: Response) -> Response:
        for name, value in fixed.items():
            response.headers[name] = value
        if "Cache-Control" not in response.headers:  # static files set their own
            response.headers["Cache-Control"] = "no-store"
        return response
