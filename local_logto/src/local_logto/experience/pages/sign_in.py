"""/sign-in and its second page: identifier and password, or the identifier first if codes are offered."""

from __future__ import annotations

from dataclasses import replace

from quart import Blueprint, Response, request

from local_logto.context import current_settings
from local_logto.errors import RequestError
from local_logto.experience.code_delivery import UnsentMessage
from local_logto.experience.demo_people import find_demo_person
from local_logto.experience.pages import one_time_token
from local_logto.experience.pages.forms import (
    FormPage,
    Link,
    SideAction,
    password_field,
)
from local_logto.experience.pages.identifiers import identifier_field, kinds_of, read_identifier, shown
from local_logto.experience.pages.responses import (
    answer_form,
    first_page_url,
    go_to,
    offered_types,
    other_identifiers,
    page_url,
    show_form,
    sign_in_page,
)
from local_logto.experience.pages.single_sign_on import lead_typed_to_company, links_to_single_sign_on
from local_logto.experience.pages.social_buttons import list_social_buttons
from local_logto.experience.pages.steps import complete, is_underway, known_identifier, send_code_to
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event, Identifier
from local_logto.experience.verification import verify_identifier_password
from local_logto.translation import _, either, paragraph

blueprint = Blueprint("sign_in", __name__)
_METHODS = ["GET", "POST"]
_NARROWED = "/identifier-sign-in"
_CODES = {"email": _("an email code"), "phone": _("an SMS code")}


@blueprint.route("/sign-in", methods=_METHODS)
@blueprint.route("/identifier-sign-in", methods=_METHODS)
@sign_in_page
async def sign_in(session: ExperienceSession) -> Response:
    if one_time_token.has_one_time_token():
        return await one_time_token.sign_in_by_token(session)
    if not session.settings.allows_sign_in:
        return go_to("/register")
    if not session.settings.methods:
        return await show_form(session, _first_page(session))
    if company := await lead_typed_to_company(session):
        return company
    action = _sign_in_with_password if _is_password_only(session) else _choose_proof
    return await answer_form(session, _first_page(session), action)


@blueprint.route("/sign-in/password", methods=_METHODS)
@sign_in_page
async def sign_in_password(session: ExperienceSession) -> Response:
    typed = session.begun.typed if session.begun and is_underway(session, Event.SIGN_IN) else None
    method = session.settings.find_method(typed.type) if typed else None
    if typed is None or method is None or not method.password:
        return go_to("/sign-in")

    async def send_code(session: ExperienceSession, _page: FormPage) -> Response:
        return await _send_code(session, typed)

    page = _password_page(session, typed, offers_code=method.verification_code)
    return await answer_form(session, page, _sign_in_typed, send_code)


@blueprint.post("/demo-sign-in")
@sign_in_page
async def demo_sign_in(session: ExperienceSession) -> Response:
    """Sign in as one of the demo people, as if their identifier and password had been entered."""
    identifier = (await request.form).get("person", "")
    person = await find_demo_person(current_settings().demo_people, identifier)
    if person is None:
        return await _refuse_demo(session, _("That demo person was not found."))
    kind = "email" if "@" in identifier else "username"
    try:
        return await _prove_password(session, Identifier(kind, identifier), person.password)
    except RequestError as error:
        if error.code != "session.invalid_credentials":
            return await _refuse_demo(session, error.message)
        return await _refuse_demo(
            session,
            _("%(name)s has no account yet, or their password was changed.", name=person.name),
        )


async def _refuse_demo(session: ExperienceSession, sentence: str) -> Response:
    return await show_form(session, replace(_first_page(session), error=sentence, status=422))


def _first_page(session: ExperienceSession) -> FormPage:
    types, changed = _offered_types(session), request.args.get("notice") == "password-changed"
    is_password_only, is_narrowed = _is_password_only(session), request.path == _NARROWED
    fields = (identifier_field(types, known_identifier(session, types)),) if types else ()
    links = []
    if is_password_only and session.settings.forgot_password_identifiers():
        links.append(Link(_("Forgot your password?"), page_url("/forgot-password")))
    if is_narrowed:
        links.append(Link(_("All sign-in options"), page_url("/sign-in")))
    else:
        links += links_to_single_sign_on(session)
    if session.settings.allows_registration:
        links.append(Link(_("Create account"), page_url("/register"), _("No account yet?")))
    return FormPage(
        _("Sign in") if is_narrowed else _("Sign in to your account"),
        _("Sign in") if fields else "",
        (*fields, password_field()) if fields and is_password_only else fields,
        description=_description(session, types, is_narrowed=is_narrowed),
        links=tuple(links),
        notice=_("Password changed. Sign in with the new one.") if changed else "",
        offers_social=not is_narrowed,
    )


def _description(session: ExperienceSession, types: tuple[str, ...], *, is_narrowed: bool) -> str:
    """Say what to enter, and which ways to sign in there are if there are several."""
    ways = _ways(session, types, is_narrowed=is_narrowed)
    sentences = (
        [_("Enter your %(kinds)s to sign in.", kinds=kinds_of(types))] if is_narrowed and types else []
    )
    if len(ways) > 1:
        sentences.append(_("You can sign in with %(ways)s.", ways=either(ways)))
    return paragraph(*sentences)


def _ways(session: ExperienceSession, types: tuple[str, ...], *, is_narrowed: bool) -> list[str]:
    """Return what a person with one of these identifiers may sign in with."""
    offered = [method for method in session.settings.methods if method.identifier in types]
    by_code = [method.identifier for method in offered if method.verification_code]
    ways: list[str] = [_("a password")] if any(method.password for method in offered) else []
    ways += [name for kind, name in _CODES.items() if kind in by_code]
    if is_narrowed:
        return ways
    company = [_("single sign-on")] if links_to_single_sign_on(session) else []
    return [*ways, *(button.name for button in list_social_buttons(session)), *company]


def _offered_types(session: ExperienceSession) -> tuple[str, ...]:
    enabled = tuple(method.identifier for method in session.settings.methods)
    return offered_types(enabled, _NARROWED)


def _is_password_only(session: ExperienceSession) -> bool:
    """Return whether identifier and password share one page, as Logto shows them."""
    types = _offered_types(session)
    offered = [method for method in session.settings.methods if method.identifier in types]
    return all(method.password and not method.verification_code for method in offered)


async def _sign_in_with_password(session: ExperienceSession, page: FormPage) -> Response:
    identifier = read_identifier(page.value("identifier"), _offered_types(session))
    return await _prove_password(session, identifier, page.value("password"))


async def _prove_password(session: ExperienceSession, identifier: Identifier, password: str) -> Response:
    await session.begin(Event.SIGN_IN)
    return await complete(session, await verify_identifier_password(session, identifier, password))


async def _choose_proof(session: ExperienceSession, page: FormPage) -> Response:
    identifier = read_identifier(page.value("identifier"), _offered_types(session))
    method = session.settings.find_method(identifier.type)
    await session.begin(Event.SIGN_IN)
    await session.save(replace(session.experience, typed=identifier))
    if method and method.password and (method.is_password_primary or not method.verification_code):
        return go_to("/sign-in/password")
    try:
        return await _send_code(session, identifier)
    except UnsentMessage as error:
        by_password = (Link(_("Sign in with password"), page_url("/sign-in/password")),)
        enabled = tuple(known.identifier for known in session.settings.methods)
        ways = (by_password if method and method.password else ()) + other_identifiers(
            "sign-in", enabled, identifier.type
        )
        return await show_form(session, replace(page, ways_if_unsent=ways).refused(error))


async def _send_code(session: ExperienceSession, identifier: Identifier) -> Response:
    await send_code_to(session, identifier, Event.SIGN_IN)
    return go_to("/sign-in/verification-code")


def _password_page(session: ExperienceSession, typed: Identifier, *, offers_code: bool) -> FormPage:
    links = [Link(_("Back"), first_page_url("sign-in"))]
    if session.settings.forgot_password_identifiers():
        links.insert(0, Link(_("Forgot your password?"), page_url("/forgot-password")))
    return FormPage(
        _("Enter password"),
        _("Continue"),
        (password_field(),),
        description=_("For %(account)s", account=shown(typed)),
        account=shown(typed),
        links=tuple(links),
        other_ways=(SideAction(_("Sign in with verification code"), "send_code"),) if offers_code else (),
        ways_if_unsent=(Link(_("All sign-in options"), page_url("/sign-in")),),
    )


async def _sign_in_typed(session: ExperienceSession, page: FormPage) -> Response:
    typed = session.experience.typed
    if typed is None:
        return go_to("/sign-in")
    verification_id = await verify_identifier_password(session, typed, page.value("password"))
    return await complete(session, verification_id)
