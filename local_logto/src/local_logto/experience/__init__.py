"""Signing in: the Experience API of Logto 1.42 and the pages over it.

Services (``verification``, ``flow``) hold the rules; ``api`` and ``pages`` call them. Issuing codes and
tokens does not belong here.
"""

from __future__ import annotations

from quart import Blueprint

from local_logto.experience import api, mfa_api, pages

blueprint = Blueprint("experience", __name__)
blueprint.register_blueprint(api.blueprint)
blueprint.register_blueprint(mfa_api.blueprint)
blueprint.register_blueprint(pages.blueprint)
