"""The account page, Logto's account center: what signed-in people see and change of their own account.

It works on the browser's session and the rules of ``experience``; who may sign in how is decided there.
"""

from __future__ import annotations

from quart import Blueprint

from local_logto.account import factor_pages, identity_pages, pages
from local_logto.webhooks import send_announced

blueprint = Blueprint("account", __name__, url_prefix="/account")
for room in (pages, identity_pages, factor_pages):
    blueprint.register_blueprint(room.blueprint)
blueprint.after_request(send_announced)
