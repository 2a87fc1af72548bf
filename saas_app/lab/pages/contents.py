"""The contents page of the lab."""

from __future__ import annotations

from quart import Blueprint
from quart.typing import ResponseReturnValue

from saas_app.identity.principal import SessionPrincipal
from saas_app.lab.pages.learners import learner
from saas_app.web.templating import render

blueprint = Blueprint("lab", __name__, url_prefix="/lab")


@blueprint.get("")
@learner
async def contents(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show the lessons, and how far the person is."""
    return render("lab/contents.html")
