"""Rejects changing requests that do not come from our own pages.

Browsers send the origin of a request in ``Sec-Fetch-Site`` and ``Origin``, which no page can set. The session
cookie is also ``SameSite=Lax``. Forms contain no CSRF token, so none can be forgotten. Two kinds of requests
are exempt: routes for programs (:func:`saas_app.web.guards.public_webhook`), which read no cookie, so that
another site gains nothing by calling them; and API requests with a bearer token, which no browser adds by
itself and with which no cookie counts.
"""

from __future__ import annotations

from quart import Request

from saas_app.config import Settings
from saas_app.errors import CrossSiteRequest
from saas_app.text.translation import _
from saas_app.web.context import bearer_token, is_api, session_cookie
from saas_app.web.guards import declared_guard
from saas_app.web.origin import origin_of
from saas_app.web.rules import Check

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_FETCH_SITES = frozenset({"same-origin", "none"})  # none: typed, bookmarked or reloaded by the person


def cross_site_refused(settings: Settings) -> Check:
    """Return the check of every changing request, unless its route is for programs."""
    own_origin = origin_of(settings.app_url)

    def refuse_cross_site(request: Request) -> None:
        if request.method in _SAFE_METHODS:
            return
        if is_api(request) and (bearer_token(request) is not None or not session_cookie(request)):
            return  # without a cookie, the guard rejects the request
        guard = declared_guard()
        if guard is not None and guard.for_programs:
            return
        fetch_site = request.headers.get("Sec-Fetch-Site")
        if fetch_site is not None:
            accepted = fetch_site in _OWN_FETCH_SITES
        else:
            origin = request.headers.get("Origin")
            accepted = origin is not None and origin_of(origin) == own_origin
        if not accepted:
            raise CrossSiteRequest(
                _(
                    "Changes are accepted only from Workroom's own pages. Open the page in Workroom and try "
                    "again."
                )
            )

    return refuse_cross_site
