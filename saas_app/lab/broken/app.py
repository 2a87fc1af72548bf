"""The routes of the practice service, and who may call them."""

from __future__ import annotations

import asyncio
import hmac
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import jwt
from quart import Quart, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from saas_app.lab.broken.calls import Call, Issuer, Refused, Row
from saas_app.lab.broken.flaws import FLAWS
from saas_app.lab.broken.signing_keys import SigningKeys
from saas_app.lab.broken.workspaces import Workspace, Workspaces

_OUR_HOSTS: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.ASCII)
_MAX_BODY: Final = 20_000  # bytes
_ISSUER_TIMEOUT: Final = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Options:
    """How the service runs. ``key`` opens the routes that make and describe workspaces."""

    data: Path
    issuer: str
    resource: str
    key: str


def create_app(options: Options) -> Quart:
    """Build the service."""
    app = Quart(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=_MAX_BODY, BODY_TIMEOUT=10)
    keys = SigningKeys(options.issuer)
    issuer = Issuer(options.issuer, options.resource, keys)
    workspaces = Workspaces(options.data)

    @app.while_serving
    async def connection():  # type: ignore[no-untyped-def]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_ISSUER_TIMEOUT)) as http:
            keys.http = http
            yield

    @app.before_request
    async def refuse_strangers() -> None:
        if not _OUR_HOSTS.fullmatch(request.host):
            raise Refused(421, "This service answers this machine only.")
        is_open = request.endpoint in ("is_ready", "answer")
        if not is_open and not hmac.compare_digest(_bearer().encode(), options.key.encode()):
            raise Refused(401, "This route needs the key of the service.")

    _add_control(app, workspaces)
    _add_practice(app, workspaces, issuer)
    _add_refusals(app)
    return app


def _add_control(app: Quart, workspaces: Workspaces) -> None:
    """Add the routes of the lab, which need the key."""

    @app.get("/readyz")
    async def is_ready() -> Response:
        return jsonify(ready=True)

    @app.get("/flaws/<slug>")
    async def describe_flaw(slug: str) -> Response:
        if slug not in FLAWS:
            raise Refused(404, "There is no such flaw.")
        return jsonify(FLAWS[slug].describe())

    @app.post("/workspaces")
    async def create_workspace() -> tuple[Response, int]:
        workspace_id = await asyncio.to_thread(workspaces.create, await _body())
        return jsonify(workspaces.describe(workspace_id)), 201

    @app.get("/workspaces/<workspace_id>")
    async def describe_workspace(workspace_id: str) -> Response:
        return jsonify(await asyncio.to_thread(workspaces.describe, workspace_id))

    @app.delete("/workspaces/<workspace_id>")
    async def delete_workspace(workspace_id: str) -> tuple[str, int]:
        await asyncio.to_thread(workspaces.delete, workspace_id)
        return "", 204


def _add_practice(app: Quart, workspaces: Workspaces, issuer: Issuer) -> None:
    """Add the routes of the learner, which need a token. What it must be is up to the variant."""

    @app.route("/w/<workspace_id>/<path:path>", methods=["GET", "POST"])
    async def answer(workspace_id: str, path: str) -> Response:
        workspace = await asyncio.to_thread(workspaces.open, workspace_id)
        if not _bearer():
            raise Refused(401, "Send an access token: Authorization: Bearer …")
        return jsonify(await _run(workspace, f"/{path}", issuer))


async def _run(workspace: Workspace, path: str, issuer: Issuer) -> Row:
    """Let the workspace's variant answer, or the list of reports, which every flaw needs."""
    found = workspace.flaw.match(request.method, path)
    if found is not None:
        return await workspace.variant(await _call(workspace, issuer, found))
    if (request.method, path) == ("GET", "/reports"):
        return await list_reports(await _call(workspace, issuer, ""))
    raise Refused(404, f"The routes are: {workspace.flaw.method} {workspace.flaw.path}, GET /reports.")


async def list_reports(call: Call) -> Row:
    """Return the reports of the token's organization that all members may read."""
    caller = await call.verify()
    caller.require("projects:read")
    statement = "SELECT * FROM reports WHERE organization_id = ? AND confidential = 0"
    return {"reports": await call.rows(statement, caller.organization_id)}


async def _call(workspace: Workspace, issuer: Issuer, found: str) -> Call:
    return Call(
        issuer=issuer,
        database=workspace.database.resolve(),
        cache=workspace.cache,
        bearer=_bearer(),
        id=found,
        query=request.args,
        headers=dict(request.headers),
        body=await _body() if request.method == "POST" else {},
    )


def _bearer() -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


async def _body() -> dict[str, Any]:
    try:
        body = await request.get_json(force=True)
    except RecursionError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "The body must be a JSON object.")
    return body


def _add_refusals(app: Quart) -> None:
    """Answer every refusal as JSON."""

    @app.errorhandler(Refused)
    async def refused(refusal: Refused) -> tuple[Response, int]:
        return jsonify(error=refusal.text), refusal.status

    @app.errorhandler(jwt.InvalidTokenError)
    async def token_refused(error: jwt.InvalidTokenError) -> tuple[Response, int]:
        return jsonify(error=f"The token is refused: {error}."), 401

    @app.errorhandler(aiohttp.ClientError)
    @app.errorhandler(TimeoutError)
    async def issuer_is_down(_error: Exception) -> tuple[Response, int]:
        return jsonify(error="The issuer's keys could not be fetched. Try again in a moment."), 503

    @app.errorhandler(HTTPException)
    async def rejected(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.name), error.code or 500
