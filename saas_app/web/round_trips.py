"""Answers renewals and step-ups: a page goes to Logto and back, a form is stored, a program gets 401."""

from __future__ import annotations

from urllib.parse import urlencode

from quart import Quart, redirect, request
from quart.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from saas_app.errors import FreshSignInRequired, SignInRequired
from saas_app.identity.kept_forms import without_secrets
from saas_app.identity.renewal import RenewalRequired, StepUpRequired
from saas_app.text.translation import _
from saas_app.web.context import is_api
from saas_app.web.error_pages import answer_error
from saas_app.web.templating import render

_NOTHING_DONE = _("Nothing was changed. After you sign in, fill in the form again.")
_NOT_CONFIRMED = _("You signed in, but Logto did not confirm that it asked for your credentials.")


def init(app: Quart) -> None:
    """Handle the errors that a round trip to Logto resolves."""
    app.register_error_handler(RenewalRequired, renew)
    app.register_error_handler(StepUpRequired, sign_in_again)


async def renew(required: RenewalRequired) -> ResponseReturnValue:
    """Send a page through a silent round trip. For a form, show a page with a button that stores it."""
    if is_api(request):
        return await answer_error(SignInRequired(_("Sign in again to renew your access.")))
    if _is_reading():
        return redirect(f"/sign-in/renew?{_round_trip_query(required.purpose)}", 303)
    form: MultiDict[str, str] = await request.form
    page = render(
        "identity/renew_needed.html",
        decision=required.decision,
        action=request.path,
        renewed_for=required.purpose,
        fields=without_secrets(form.items(multi=True)),
    )
    return page, 403


async def sign_in_again(required: StepUpRequired) -> ResponseReturnValue:
    """Send a page through a sign-in and back, once. A form is not stored; the person submits it again."""
    is_page = _is_reading() and not is_api(request)
    if is_page and not required.just_made:
        return redirect(f"/sign-in/fresh?{_round_trip_query(required.purpose)}", 303)
    detail = _NOT_CONFIRMED if is_page else _NOTHING_DONE
    return await answer_error(FreshSignInRequired(detail, max_age=required.max_age))


def _is_reading() -> bool:
    return request.method in ("GET", "HEAD")


def _round_trip_query(purpose: str) -> str:
    return urlencode({"next": request.full_path.rstrip("?"), "for": purpose})
