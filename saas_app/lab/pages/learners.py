"""The guard of the lab: people who are signed in, while the lab is on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from saas_app.errors import NotFound
from saas_app.text.translation import _
from saas_app.web.context import runtime
from saas_app.web.guards import signed_in

View = Callable[..., Awaitable[Any]]


def learner(view: View) -> View:
    """Allow people who are signed in. The view receives the principal. While the lab is off, 404.

    Everything in the lab belongs to the person who calls, so no route of it names an organization.
    """
    guarded = signed_in(view)

    @wraps(guarded)
    async def while_on(**arguments: Any) -> Any:
        if not runtime().settings.offers_lab:
            raise NotFound(_("This page does not exist, or you do not have access to it."))
        return await guarded(**arguments)

    return while_on
