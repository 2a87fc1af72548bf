"""``/device`` and ``/oidc/device``: a person enters a device's code, confirms it, and signs in for the
device.

The form has a secret of the browser's session, so that no other page can submit it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from quart import Blueprint, Response, request

from local_logto.context import current_store, origin_of
from local_logto.crypto.opaque_values import new_opaque_value
from local_logto.crypto.signed_cookies import DEVICE_FORM, EXPERIENCE, clear_cookie, read_cookie, write_cookie
from local_logto.errors import OidcError
from local_logto.oidc.authorization import resuming
from local_logto.oidc.authorization.code import issued_payload
from local_logto.oidc.authorization.request import from_interaction
from local_logto.oidc.authorization.steps import next_step
from local_logto.oidc.clients import find_client
from local_logto.oidc.device import codes
from local_logto.oidc.device.codes import LIFETIME_SECONDS, DeviceCode
from local_logto.oidc.grant_limit import end_oldest_grants
from local_logto.oidc.no_store import no_store
from local_logto.oidc.request_params import Params, body_params
from local_logto.oidc.session.interactions import Interaction
from local_logto.oidc.session.op_sessions import OpSession, load_session
from local_logto.pages import page, posting_page
from local_logto.responses import redirect_response
from local_logto.store import now_ms
from local_logto.translation import _

PAGE: Final = "/device"
FORM: Final = "/oidc/device"
_PARAMS: Final = ("xsrf", "user_code", "confirm", "abort")
_SENTENCES: Final[Mapping[str, str]] = {
    "NoCodeError": _("Enter the code that your device shows."),
    "NotFoundError": _("No device is waiting for this code. Check it and try again."),
    "ExpiredError": _("The code has expired. Get a new one on your device."),
    "AlreadyUsedError": _("The code has already been used. Get a new one on your device."),
    "AbortedError": _("You canceled. Your device is not signed in."),
}

blueprint = Blueprint("device", __name__)
blueprint.after_request(no_store)


class _Refusal(Exception):
    """An error that shows the form again. ``name`` is the reason, ``typed`` the code that was entered."""

    def __init__(self, name: str, typed: str | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.typed = typed


@blueprint.get(FORM)
async def begin() -> Response:
    """Give the browser the form's secret. A code in the query is submitted automatically."""
    session = load_session(request)
    typed = request.args.get("user_code")
    if typed is None:
        return await _ask(session)
    session.expect_device_form(new_opaque_value())
    response = await posting_page(
        origin_of(request) + FORM,
        {"xsrf": session.device_secret or "", "user_code": typed},
        title=_("Signing in on a device"),
        text=_("Checking the code …"),
    )
    await session.save(response)
    return response


@blueprint.post(FORM)
async def take_form() -> Response:
    """Look up the code, ask for confirmation, and continue as after an authorization request."""
    params, session = await body_params(request), load_session(request)
    code = _find_code(session, params)
    if not params.get("confirm"):
        return await _to_page(session, {"user_code": code.shown_user_code})
    with current_store().begin() as connection:
        is_ours = codes.take(connection, code)
    if not is_ours:
        raise _Refusal("AlreadyUsedError", params.get("user_code"))
    session.expect_device_form(None)
    response = _proceed(code, session, None)
    await session.save(response)
    return response


@blueprint.get(f"{FORM}/<uid>")
async def resume(uid: str) -> Response:
    return await resuming.resume(uid, _resume, of_device=True)


@blueprint.get(PAGE)
async def show_form() -> Response:
    """Show the form. A browser without the secret is redirected to get it."""
    secret = read_cookie(request, DEVICE_FORM)
    if not secret:
        query = request.query_string.decode()
        return redirect_response(f"{FORM}?{query}" if query else FORM, 302)
    error = request.args.get("error")
    return await page(
        "device.html",
        action=FORM,
        xsrf=secret,
        user_code=request.args.get("user_code"),
        typed=request.args.get("input_code", ""),
        error=_SENTENCES.get(error, _("Something went wrong. Try again.")) if error else None,
    )


@blueprint.get(f"{PAGE}/success")
async def success() -> Response:
    text = _("You are signed in on your device. You can close this page.")
    return await page("notice.html", title=_("Your device is ready"), text=text, links=[])


@blueprint.errorhandler(_Refusal)
async def _ask_again(refusal: _Refusal) -> Response:
    return await _ask(load_session(request), error=refusal.name, typed=refusal.typed)


def _find_code(session: OpSession, params: Params) -> DeviceCode:
    """Return the entered code if it is unused. Canceling ends it."""
    try:
        params.reject_duplicates(among=_PARAMS)
    except OidcError as error:
        raise _Refusal("InvalidRequest") from error
    expected, given = session.device_secret, params.get("xsrf")
    if expected is None or given is None or not hmac.compare_digest(expected.encode(), given.encode()):
        raise _Refusal("InvalidRequest")
    typed = params.get("user_code")
    if typed is None:
        raise _Refusal("NoCodeError")
    with current_store().begin() as connection:
        code = codes.find_by_user_code(connection, typed)
    if code is None:
        raise _Refusal("NotFoundError", typed)
    if code.is_expired:
        raise _Refusal("ExpiredError", typed)
    if code.is_taken or code.outcome is not None:
        raise _Refusal("AlreadyUsedError", typed)
    if params.get("abort"):
        _end_with_error(code, OidcError(400, "access_denied", "End-User aborted interaction"))
        raise _Refusal("AbortedError")
    return code


async def _resume(interaction: Interaction, session: OpSession) -> Response:
    with current_store().begin() as connection:
        code = codes.find_by_hash(connection, interaction.device_code_hash or "")
    if code is None:
        raise _Refusal("NotFoundError")
    if code.is_expired:
        raise _Refusal("ExpiredError")
    if code.outcome is not None:
        raise _Refusal("AlreadyUsedError")
    return _proceed(code, session, interaction.result)


def _proceed(code: DeviceCode, session: OpSession, result: Mapping[str, Any] | None) -> Response:
    """Redirect to the next page, or store with the code what the device may fetch."""
    client = find_client(code.client_id)
    if client is None:
        raise _Refusal("NotFoundError")
    authorization = from_interaction(client, code.params)
    try:
        step = next_step(authorization, session, result, device_code_hash=code.value_hash)
    except OidcError as error:
        _end_with_error(code, error)
        raise _Refusal(error.error.title().replace("_", "")) from error
    if isinstance(step, Response):
        return step
    payload = issued_payload(authorization, session, step)
    if not payload["scope"]:
        _end_with_error(code, OidcError(400, "access_denied", None))
        raise _Refusal("AbortedError")
    with current_store().begin() as connection:
        outcome = {"grant_id": step.id, "payload": payload}
        is_first = codes.end(connection, code.value_hash, outcome)
    if not is_first:
        raise _Refusal("AlreadyUsedError")
    end_oldest_grants(client, session)
    response = redirect_response(f"{PAGE}/success", 302)
    clear_cookie(response, DEVICE_FORM, path=PAGE)
    return response


def _end_with_error(code: DeviceCode, error: OidcError) -> None:
    outcome = {"error": error.error, "error_description": error.error_description}
    with current_store().begin() as connection:
        codes.end(connection, code.value_hash, outcome)


async def _ask(session: OpSession, *, error: str | None = None, typed: str | None = None) -> Response:
    """Redirect to the form with a new secret."""
    session.expect_device_form(new_opaque_value())
    query = {"input_code": typed, "error": error}
    return await _to_page(session, {name: value for name, value in query.items() if value})


async def _to_page(session: OpSession, query: Mapping[str, str]) -> Response:
    response = redirect_response(f"{PAGE}?{urlencode(query)}" if query else PAGE, 302)
    expires_at = now_ms() + LIFETIME_SECONDS * 1000
    secret = session.device_secret or ""
    write_cookie(response, DEVICE_FORM, secret, path=PAGE, expires_at_ms=expires_at, http_only=False)
    write_cookie(response, EXPERIENCE, "{}", http_only=False)
    await session.save(response)
    return response
