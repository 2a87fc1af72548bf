"""``/oidc/*``, ``/consent`` and ``/device``: OAuth 2.0 and OpenID Connect as in Logto 1.42.

``authorization`` turns a request into a code, ``token`` issues and reads tokens, ``session`` belongs to the
browser, and ``device`` signs in devices. Clients, scopes, resources and grants are defined at this level for
all of them. People sign in on the pages; nothing here imports those or the Management API.
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
for _module in (
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
    blueprint.register_blueprint(_module.blueprint)
