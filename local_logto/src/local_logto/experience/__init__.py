"""Signing in: the Experience API of Logto 1.42, and the pages that use it.

The services (``verification``, ``flow``, ``profile``) hold the rules; ``api`` and ``pages`` call them. Codes
and tokens are issued elsewhere.
"""

from __future__ import annotations

from quart import Blueprint

from local_logto.experience import api, mfa_api, pages

blueprint = Blueprint("experience", __name__)
blueprint.register_blueprint(api.blueprint)
blueprint.register_blueprint(mfa_api.blueprint)
blueprint.register_blueprint(pages.blueprint)
