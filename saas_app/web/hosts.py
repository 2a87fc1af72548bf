"""Answers requests for our own host names only.

Links and redirects are relative or begin with ``APP_URL``, so the ``Host`` header affects nothing else.
``X-Forwarded-Host`` is never read.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from quart import Request
from werkzeug.routing import RequestRedirect

from saas_app.config import Settings
from saas_app.errors import BadRequest, MisdirectedRequest
from saas_app.text.translation import _
from saas_app.web.rules import Check

_HOST: Final = re.compile(r"(?P<name>\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::[0-9]{0,5})?", re.IGNORECASE)
_PROBES: Final = frozenset({"/healthz", "/readyz"})  # requested by IP address, from inside the network


def other_hosts_refused(settings: Settings) -> Check:
    """Return the check that rejects requests for other hosts, before anything else is done."""
    own = frozenset((host_name(urlsplit(settings.app_url).netloc) or "", *settings.allowed_hosts))

    def refuse_other_hosts(request: Request) -> None:
        if request.path in _PROBES:
            return
        given = request.headers.getlist("Host")
        name = host_name(given[0]) if len(given) == 1 else None
        if name is None:
            raise BadRequest(_("The request must name one host (RFC 9112, 3.2)."))
        if name not in own:
            raise MisdirectedRequest(_("This server does not serve this host name."))

    return refuse_other_hosts


def redirect_within_our_origin(request: Request) -> None:
    """Turn a redirect of the router, which repeats the scheme and host of the request, into a path."""
    redirection = request.routing_exception
    if isinstance(redirection, RequestRedirect):
        target = urlsplit(redirection.new_url)
        redirection.new_url = urlunsplit(("", "", "/" + target.path.lstrip("/"), target.query, ""))


def host_name(host: str) -> str | None:
    """Return the name in a ``Host`` header without its port, or None if it is malformed."""
    match = _HOST.fullmatch(host)
    return match["name"].lower().removesuffix(".") if match else None
