"""``/oidc/*``, ``/consent`` and ``/device``: OAuth 2.0 and OpenID Connect as Logto 1.42 speaks them.

``authorization`` takes a request and answers with a code, ``token`` gives and reads tokens, ``session`` is
the browser's. What clients, scopes, resources and grants are is at this level, for all three. Signing in is
left to the pages, and nothing here knows them or the Management API.
"""

from __future__ import annotations

from quart import Blueprint

from local_logto.oidc import discovery, userinfo
from local_logto.oidc.authorization import consent, endpoint, pushed_requests
from local_logto.oidc.device import browser as device_browser
from local_logto.oidc.device import requests as device_requests
from local_logto.oidc.session import end_session
from local_logto.oidc.token import endpoint as token_endpoint
from local_logto.oidc.token import introspection, revocation

blueprint = Blueprint("oidc", __name__)
for _room in (
    discovery,
    endpoint,
    consent,
    pushed_requests,
    token_endpoint,
    userinfo,
    introspection,
    revocation,
    end_session,
    device_requests,
    device_browser,
):
    blueprint.register_blueprint(_room.blueprint)
