"""The page that the reader is on, as a path on this site."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from quart import request

from saas_app.identity.return_paths import own_path


def this_page() -> str:
    """Return the path of this page, or for the answer to a form the page that contains the form."""
    if request.method in ("GET", "HEAD"):
        return _own_address()
    try:
        referrer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return "/"
    if referrer.netloc != request.host:
        return "/"
    return own_path(f"{referrer.path}?{referrer.query}" if referrer.query else referrer.path)


def _own_address() -> str:
    query = request.query_string.decode("ascii", "ignore")
    return quote(request.path) + (f"?{query}" if query else "")
