"""The one place that renders errors: as a page, or as ``application/problem+json`` (RFC 9457).

Programs get the problem document: below ``/api``, on webhooks, and if the client prefers JSON. A 5xx page
shows the request id and not the cause, which is in the log.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlencode

import structlog
from quart import Quart, Response, g, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from saas_app.errors import (
    AppError,
    AssignmentDenied,
    AssignmentTooLong,
    DatabaseBusy,
    DatabaseUnavailable,
    FormOfAnotherAccount,
    FreshSignInRequired,
    Invalid,
    LogtoUnavailable,
    MfaRequired,
    PermissionDenied,
    SignInFailed,
    SignInRequired,
    SsoRequired,
)
from saas_app.identity.former_members import NoLongerMember
from saas_app.identity.kept_forms import without_secrets
from saas_app.identity.single_sign_on import SINGLE_SIGN_ON, sign_in_mark
from saas_app.identity.support_endings import SupportDenied, SupportEnded
from saas_app.limits.changes import LimitReached
from saas_app.text.translation import Sentence, _, said
from saas_app.web.challenges import challenge_for
from saas_app.web.context import delete_cookie, is_api, runtime
from saas_app.web.guards import declared_guard
from saas_app.web.kept_forms import bind_to_browser, keep_form, sign_in_and_back
from saas_app.web.personas import back_to_own, current_persona
from saas_app.web.proof import prove_support
from saas_app.web.templating import render
from saas_app.web.this_page import this_page
from saas_app.web.visitors import find_last_renewal, find_principal

log = structlog.get_logger(__name__)

_TEMPLATES: dict[type[AppError], str] = {
    AssignmentDenied: "errors/permission_denied.html",
    AssignmentTooLong: "errors/permission_denied.html",
    PermissionDenied: "errors/permission_denied.html",
    SignInFailed: "errors/sign_in_failed.html",
    LogtoUnavailable: "errors/logto_unavailable.html",
    DatabaseUnavailable: "errors/database_unavailable.html",
    DatabaseBusy: "errors/database_unavailable.html",
    MfaRequired: "errors/mfa_required.html",
    SsoRequired: "errors/sso_required.html",
    FreshSignInRequired: "errors/fresh_sign_in_required.html",
    FormOfAnotherAccount: "errors/form_of_another_account.html",
    LimitReached: "errors/limit_reached.html",
    NoLongerMember: "errors/no_longer_member.html",
    SupportDenied: "errors/support_denied.html",
    SupportEnded: "errors/support_ended.html",
}

_PERSONA_ENDED = _("The session of the person whose pages you saw has ended. You are yourself again.")

_HTTP_ERRORS = {
    400: (
        "bad-request",
        _("The request could not be understood"),
        _("Something in it is missing or malformed."),
    ),
    404: ("not-found", _("Not found"), _("This page does not exist, or you do not have access to it.")),
    405: ("method-not-allowed", _("Method not allowed"), _("This address does not accept this method.")),
    413: ("too-large", _("Request too large"), _("The request is larger than the limit.")),
    415: ("unsupported-media-type", _("Unsupported format"), _("Send a form, or JSON below /api.")),
    429: ("too-many-requests", _("Too many requests"), _("Try again in a moment.")),
}


def init(app: Quart) -> None:
    """Handle our own errors, the framework's, and unexpected ones."""
    app.register_error_handler(AppError, answer_error)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(Exception, _unexpected)


async def answer_error(error: AppError) -> ResponseReturnValue:
    """Render an error: a problem document for programs, a page for people, or a redirect to sign-in."""
    if prefers_problem():
        return _problem(error)
    if isinstance(error, SignInRequired):
        persona = current_persona()
        if persona is not None:
            return await back_to_own(persona, None, "/", _PERSONA_ENDED)
        return await sign_in_and_back(this_page())
    if g.get("principal") is None and not isinstance(error, DatabaseUnavailable):  # do not wait for it twice
        with suppress(DatabaseUnavailable):
            await _find_reader()
    return await _page(error)


async def _find_reader() -> None:
    """Find who is signed in, for the page's head: in the organization of a support access, the member."""
    parts = request.path.split("/")
    if parts[1] == "o" and len(parts) > 3:  # below an organization, but no route of it has found its caller
        with suppress(AppError, HTTPException):
            if await prove_support(parts[2]) is not None:
                return
    await find_principal()


async def _http_exception(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()  # a redirect by the router
    answer = await answer_error(as_app_error(error))
    if isinstance(error, MethodNotAllowed) and error.valid_methods and isinstance(answer, Response):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


async def _unexpected(error: Exception) -> ResponseReturnValue:
    log.exception("unhandled exception", method=request.method, path=request.path, exc_info=error)
    failure = AppError()
    return _problem(failure) if prefers_problem() else await _page(failure)


def prefers_problem() -> bool:
    """Return whether the caller is a program: by its route, below ``/api``, or because it prefers JSON."""
    guard = declared_guard()
    if is_api(request) or (guard and guard.for_programs):
        return True
    best = request.accept_mimetypes.best_match(
        ("text/html", "application/problem+json", "application/json"), default="text/html"
    )
    return best != "text/html"


def problem_document(error: AppError, request_id: str) -> dict[str, Any]:
    """Return the problem document of an error, in the caller's language. A denial includes its decision."""
    document: dict[str, Any] = {
        "type": f"urn:workroom:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail or error.title,
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, PermissionDenied):
        granting = [role.value for role in error.decision.roles_that_grant]
        document["decision"] = {**error.decision.as_json(), "roles_that_grant": granting}
    if isinstance(error, Invalid) and error.fields:
        document["errors"] = dict(error.fields)
    return cast("dict[str, Any]", said(document))


def _problem(error: AppError) -> Response:
    body = json.dumps(problem_document(error, _request_id()))
    return _with_headers(Response(body, status=error.status, content_type="application/problem+json"), error)


async def _page(error: AppError) -> Response:
    template = _TEMPLATES.get(type(error), "errors/error.html")
    more: dict[str, Any] = {}
    if isinstance(error, MfaRequired):
        more = await _about_second_factor()
    elif isinstance(error, SsoRequired):
        more = await _about_single_sign_on(error)
    elif isinstance(error, FormOfAnotherAccount):
        more = {"waiting": await keep_form()}
    elif isinstance(error, LimitReached) and request.method == "POST":
        more = {"fields": without_secrets((await request.form).items(multi=True))}
    html = render(
        template, error=error, request_id=_request_id(), try_again=_try_again(), path=request.path, **more
    )
    response = Response(html, status=error.status, content_type="text/html")
    return bind_to_browser(_with_headers(response, error))


async def _about_second_factor() -> dict[str, Any]:
    """Return where to set up a second factor, and whether the person has just signed in again for this."""
    mark = f"{(request.view_args or {}).get('organization_id', '')} mfa"
    principal = await find_principal()
    waiting = await keep_form(principal.subject) if principal else None
    return {
        "account_center": runtime().settings.account_center,
        "set_up": f"/sign-in/fresh?{urlencode({'next': waiting or _try_again(), 'for': mark})}",
        "was_asked": await find_last_renewal() == mark,
    }


async def _about_single_sign_on(required: SsoRequired) -> dict[str, Any]:
    """Return where to sign in, and whether the person has just come back from there in another way."""
    principal = await find_principal()
    waiting = await keep_form(principal.subject) if principal else None
    target = {"organization": required.organization_id, "next": waiting or _try_again()}
    return {
        "sign_in": f"{SINGLE_SIGN_ON}?{urlencode(target)}",
        "was_asked": await find_last_renewal() == sign_in_mark(required.organization_id),
    }


def _with_headers(response: Response, error: AppError) -> Response:
    if (challenge := challenge_for(error)) is not None:
        response.headers["WWW-Authenticate"] = challenge
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, SupportEnded):
        delete_cookie(response, "support")
    return response


def as_app_error(error: HTTPException) -> AppError:
    """Convert an error of the framework, so that it is rendered like ours."""
    status = error.code or 500
    if status == AppError.status:
        return AppError()
    code, title, detail = _HTTP_ERRORS.get(
        status, (f"http-{status}", Sentence(error.name), _("The request cannot be processed."))
    )
    wrapped = AppError(detail, title=title)
    wrapped.status, wrapped.code = status, code
    return wrapped


def _request_id() -> str:
    return str(g.get("request_id", ""))


def _try_again() -> str:
    """Return the path of "Try again". A callback cannot be repeated, so there it is the front page."""
    return "/" if request.path == "/callback" else this_page()
