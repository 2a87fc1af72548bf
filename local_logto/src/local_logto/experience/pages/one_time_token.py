"""Signing in with a one-time token for an email address: one button, and nothing to type.

Logto's page uses the token as soon as it loads. Here a button does, so that a link preview doesn't use it up.
"""

from __future__ import annotations

from quart import Response, request

from local_logto.errors import RequestError
from local_logto.experience.flow import switch_event
from local_logto.experience.pages.forms import FormPage, Link
from local_logto.experience.pages.responses import answer_form, page_url
from local_logto.experience.pages.steps import complete
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event, Identifier
from local_logto.experience.verification import verify_one_time_token
from local_logto.translation import _


def has_one_time_token() -> bool:
    """Return whether the authorization request carries a token and the email address that it proves."""
    return bool(request.args.get("one_time_token") and request.args.get("login_hint"))


async def sign_in_by_token(session: ExperienceSession) -> Response:
    """Sign in to the account with this email address, or create one."""
    address = request.args["login_hint"]
    page = FormPage(
        _("Continue to your account"),
        _("Continue"),
        (),
        _("You are signing in as %(address)s.", address=address),
        links=(Link(_("Sign in another way"), page_url("/sign-in")),),
    )
    return await answer_form(session, page, _use)


async def _use(session: ExperienceSession, _page: FormPage) -> Response:
    identifier = Identifier("email", request.args["login_hint"])
    await session.begin(Event.SIGN_IN)
    verification_id = await verify_one_time_token(session, identifier, request.args["one_time_token"])
    try:
        return await complete(session, verification_id)
    except RequestError as error:
        if error.code != "user.user_not_exist":
            raise
    await switch_event(session, Event.REGISTER)
    return await complete(session, verification_id)
