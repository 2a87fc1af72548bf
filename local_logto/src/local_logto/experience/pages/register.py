"""/register, its password page, and /continue/<what is missing>: completing an account."""

from __future__ import annotations

from dataclasses import replace

from quart import Blueprint, Response, request

from local_logto.experience.code_delivery import UnsentMessage
from local_logto.experience.pages.forms import FormPage, Link, new_password_page
from local_logto.experience.pages.identifiers import identifier_field, kinds_of, read_identifier
from local_logto.experience.pages.responses import (
    answer_form,
    go_to,
    offered_types,
    other_identifiers,
    page_url,
    show_form,
    sign_in_page,
)
from local_logto.experience.pages.single_sign_on import lead_typed_to_company
from local_logto.experience.pages.steps import complete, is_underway, known_identifier, send_code_to
from local_logto.experience.profile import add_password, add_username
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event
from local_logto.translation import _

blueprint = Blueprint("register", __name__)
_METHODS = ["GET", "POST"]
_NARROWED = "/identifier-register"
_ADDRESS_PAGES = {
    "email": (_("Link email"), ("email",)),
    "phone": (_("Link phone"), ("phone",)),
    "emailOrPhone": (_("Link email or phone"), ("email", "phone")),
}


@blueprint.route("/register", methods=_METHODS)
@blueprint.route("/identifier-register", methods=_METHODS)
@sign_in_page
async def register(session: ExperienceSession) -> Response:
    if not session.settings.allows_registration:
        return go_to("/sign-in")
    if company := await lead_typed_to_company(session):
        return company
    types, is_narrowed = _offered_types(session), request.path == _NARROWED
    all_options = (Link(_("All account creation options"), page_url("/register")),) if is_narrowed else ()
    page = FormPage(
        _("Create account") if is_narrowed else _("Create your account"),
        _("Create account"),
        (identifier_field(types, known_identifier(session, types)),),
        description=(
            _("Enter your %(kinds)s to create a new account.", kinds=kinds_of(types)) if is_narrowed else ""
        ),
        links=all_options + _back_to_sign_in(session),
        ways_if_unsent=_ways_in(session),
        offers_social=not is_narrowed,
    )
    return await answer_form(session, page, _begin_registration)


@blueprint.route("/register/password", methods=_METHODS)
@sign_in_page
async def register_password(session: ExperienceSession) -> Response:
    if not is_underway(session, Event.REGISTER) or not session.experience.profile.username:
        return go_to("/register")
    return await answer_form(session, _password_page(session, _("New password")), _complete_with_password)


@blueprint.route("/continue/<any(password, username, email, phone, emailOrPhone):missing>", methods=_METHODS)
@sign_in_page
async def continue_with(session: ExperienceSession, missing: str) -> Response:
    if session.begun is None or session.begun.event is Event.FORGOT_PASSWORD:
        return go_to("/sign-in")
    back = (Link(_("Back to sign in"), page_url("/sign-in")),) if session.settings.allows_sign_in else ()
    if missing == "password":
        page = replace(_password_page(session, _("Set password")), links=back)
        return await answer_form(session, page, _complete_with_password)
    if missing == "username":
        page = FormPage(_("Set username"), _("Continue"), (identifier_field(("username",)),), links=back)
        return await answer_form(session, page, _complete_with_username)
    title, types = _ADDRESS_PAGES[missing]
    reason = _("This application requires it for your account.")
    page = FormPage(title, _("Continue"), (identifier_field(types),), reason, links=back)
    page = replace(page, ways_if_unsent=_ways_in(session))
    return await answer_form(session, page, _send_code_for_profile)


def _offered_types(session: ExperienceSession) -> tuple[str, ...]:
    return offered_types(session.settings.sign_up_identifiers, _NARROWED)


def _back_to_sign_in(session: ExperienceSession) -> tuple[Link, ...]:
    if not session.settings.allows_sign_in:
        return ()
    return (Link(_("Sign in"), page_url("/sign-in"), _("Already have an account?")),)


def _ways_in(session: ExperienceSession) -> tuple[Link, ...]:
    """Return links for people who can't go on here because no message can be sent."""
    return (Link(_("All sign-in options"), page_url("/sign-in")),) if session.settings.allows_sign_in else ()


def _password_page(session: ExperienceSession, title: str) -> FormPage:
    profile = session.experience.profile
    account = profile.username or profile.email or profile.phone or ""
    return new_password_page(title, session.settings.password_policy, account)


async def _begin_registration(session: ExperienceSession, page: FormPage) -> Response:
    identifier = read_identifier(page.value("identifier"), _offered_types(session))
    await session.begin(Event.REGISTER)
    if identifier.type == "username":
        await add_username(session, identifier.value)
        return go_to("/register/password")
    try:
        await send_code_to(session, identifier, Event.REGISTER)
    except UnsentMessage as error:
        enabled = session.settings.sign_up_identifiers
        ways = other_identifiers("register", enabled, identifier.type)
        page = replace(page, ways_if_unsent=ways + page.ways_if_unsent)
        return await show_form(session, page.refused(error))
    return go_to("/register/verification-code")


async def _complete_with_password(session: ExperienceSession, page: FormPage) -> Response:
    await add_password(session, page.value("password"))
    return await complete(session)


async def _complete_with_username(session: ExperienceSession, page: FormPage) -> Response:
    await add_username(session, page.value("identifier"))
    return await complete(session)


async def _send_code_for_profile(session: ExperienceSession, page: FormPage) -> Response:
    types = _ADDRESS_PAGES[request.path.rsplit("/", 1)[1]][1]
    await send_code_to(session, read_identifier(page.value("identifier"), types), session.experience.event)
    return go_to("/continue/verification-code")
