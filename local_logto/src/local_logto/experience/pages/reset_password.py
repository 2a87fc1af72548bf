"""/forgot-password and /reset-password: a code to a known address, then a new password."""

from __future__ import annotations

from quart import Blueprint, Response

from local_logto.experience.flow import submit
from local_logto.experience.pages.forms import FormPage, Link, new_password_page
from local_logto.experience.pages.identifiers import identifier_field, kinds_of, read_identifier, shown
from local_logto.experience.pages.responses import (
    answer_form,
    go_to,
    page_url,
    show_notice,
    sign_in_page,
)
from local_logto.experience.pages.steps import is_underway, known_identifier, send_code_to
from local_logto.experience.profile import replace_password
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event
from local_logto.translation import _

blueprint = Blueprint("reset_password", __name__)
_METHODS = ["GET", "POST"]


@blueprint.route("/forgot-password", methods=_METHODS)
@blueprint.route("/reset-password", methods=_METHODS)
@sign_in_page
async def forgot_password(session: ExperienceSession) -> Response:
    types = session.settings.forgot_password_identifiers()
    if not types:
        return await show_notice(
            _("Password reset isn’t available"),
            _("This server has no way to reset passwords. Ask an administrator for a new one."),
            links=((_("Back to sign in"), page_url("/sign-in")),),
        )
    page = FormPage(
        _("Reset password"),
        _("Continue"),
        (identifier_field(types, known_identifier(session, types)),),
        description=_(
            "Enter the %(kinds)s of your account to get a code for choosing a new password.",
            kinds=kinds_of(types),
        ),
        links=(Link(_("Back to sign in"), page_url("/sign-in")),),
        ways_if_unsent=(Link(_("All sign-in options"), page_url("/sign-in")),),
    )
    return await answer_form(session, page, _send_code)


@blueprint.route("/forgot-password/reset", methods=_METHODS)
@sign_in_page
async def choose_new_password(session: ExperienceSession) -> Response:
    if not is_underway(session, Event.FORGOT_PASSWORD) or session.experience.user_id is None:
        return go_to("/forgot-password")
    account = shown(session.experience.typed) if session.experience.typed else ""
    page = new_password_page(_("New password"), session.settings.password_policy, account)
    return await answer_form(session, page, _save_password)


async def _send_code(session: ExperienceSession, page: FormPage) -> Response:
    types = session.settings.forgot_password_identifiers()
    identifier = read_identifier(page.value("identifier"), types)
    await session.begin(Event.FORGOT_PASSWORD)
    await send_code_to(session, identifier, Event.FORGOT_PASSWORD)
    return go_to("/forgot-password/verification-code")


async def _save_password(session: ExperienceSession, page: FormPage) -> Response:
    await replace_password(session, page.value("password"))
    await submit(session)
    return go_to("/sign-in", notice="password-changed")
