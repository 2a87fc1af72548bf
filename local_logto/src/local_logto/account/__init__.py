"""The account page, Logto's account center: what signed-in people see and change in their own account.

It builds on the browser's session and the rules of ``experience``, which decide who may sign in and how.
"""

from __future__ import annotations

from quart import Blueprint

from local_logto.account import factor_pages, identity_pages, pages
from local_logto.webhooks import send_announced

blueprint = Blueprint("account", __name__, url_prefix="/account")
for module in (pages, identity_pages, factor_pages):
    blueprint.register_blueprint(module.blueprint)
blueprint.after_request(send_announced)
