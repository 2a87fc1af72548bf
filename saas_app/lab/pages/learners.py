"""The guard of the lab, and what its pages share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from functools import wraps
from typing import Any, Final

from quart import current_app

from saas_app.errors import Busy, LogtoUnavailable, NotFound, RateLimited
from saas_app.identity.scripted_sign_in import ScriptedSignInFailed
from saas_app.lab.stage import Body
from saas_app.lab.systems import LabSystems
from saas_app.lab.values import GroundLost, NoGround, NotYet
from saas_app.text.translation import _
from saas_app.web.context import runtime
from saas_app.web.guards import signed_in

EXPECTED: Final = (Busy, GroundLost, LogtoUnavailable, NoGround, NotYet, RateLimited, ScriptedSignInFailed)
"""What may stop a step of any lesson. Its page says so, and the step can be repeated."""

View = Callable[..., Awaitable[Any]]


def learner(view: View) -> View:
    """Allow people who are signed in. The view receives the principal. While the lab is off, 404.

    Everything in the lab belongs to the person who calls, so no route of it names an organization.
    """
    guarded = signed_in(view)

    @wraps(guarded)
    async def while_on(**arguments: Any) -> Any:
        lab_systems()
        return await guarded(**arguments)

    return while_on


def lab_systems() -> LabSystems:
    """Return what the lab works with. Raises :class:`NotFound` while the lab is off."""
    found = runtime().lab
    if found is None:
        raise NotFound(_("This page does not exist, or you do not have access to it."))
    return found


async def read_own_api(path: str, token: str, body: Body = None) -> tuple[int, Any]:
    """Send a GET with a bearer token through this application, or a POST with a body.

    Every rule and guard of the JSON API applies.

    It does not go through the network, because a server cannot always reach its own public address. It runs
    in a context of its own, because this request and that one must not share their state.
    """
    settings = runtime().settings
    client = current_app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {token}", "Host": settings.app_url.partition("://")[2]}

    async def send() -> tuple[int, Any]:
        method = "GET" if body is None else "POST"
        response = await client.open(path, method=method, headers=headers, json=body)
        return response.status_code, await response.get_json(force=True)

    return await asyncio.create_task(send(), context=Context())
