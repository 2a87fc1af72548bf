"""/single-sign-on: an email address leads to the provider of the company that owns its domain."""

from __future__ import annotations

from dataclasses import replace

from quart import Blueprint, Response, request

from local_logto.connectors.enterprise import list_sso_connectors
from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.experience import sso
from local_logto.experience.pages.forms import Choice, FormPage, Link
from local_logto.experience.pages.gateways import gateway_of
from local_logto.experience.pages.identifiers import identifier_field, read_identifier
from local_logto.experience.pages.responses import (
    answer_form,
    go_to,
    page_url,
    show_form,
    show_notice,
    sign_in_page,
)
from local_logto.experience.session import ExperienceSession
from local_logto.experience.sign_in_experience import read_sign_in_experience
from local_logto.experience.state import Event, Identifier
from local_logto.translation import _

blueprint = Blueprint("single_sign_on", __name__)
_EMAIL_PAGE = "/single-sign-on/email"
_CONNECTORS_PAGE = "/single-sign-on/connectors"


@blueprint.get("/single-sign-on")
async def single_sign_on() -> Response:
    """Go to the page for the address, unless this server has no connector."""
    if read_sign_in_experience(current_store()).single_sign_on and _has_connectors():
        return go_to(_EMAIL_PAGE)
    return await show_notice(
        _("Single sign-on isn’t available"),
        _("No enterprise connector is configured on this server."),
        links=((_("Other ways to sign in"), page_url("/sign-in")),),
    )


@blueprint.route(_EMAIL_PAGE, methods=["GET", "POST"])
@sign_in_page
async def enter_email(session: ExperienceSession) -> Response:
    page = FormPage(
        _("Single sign-on"),
        _("Continue"),
        (identifier_field(("email",)),),
        description=_("Enter your enterprise email address."),
        links=(_other_ways(),),
    )
    return await answer_form(session, page, _find_company)


@blueprint.get(_CONNECTORS_PAGE)
@sign_in_page
async def choose_connector(session: ExperienceSession) -> Response:
    """Offer the address's providers. Each is a link, because a form may redirect to known sites only."""
    typed = session.begun.typed if session.begun else None
    found = sso.list_connectors_of(session, typed.value) if typed else []
    if typed is None or not found:
        return go_to(_EMAIL_PAGE)
    ways = [gateway_of(connector) for connector in found]
    only = _("Continue with single sign-on") if len(ways) == 1 else ""
    page = FormPage(
        _("Single sign-on"),
        "",
        (),
        description=_("Your enterprise has enabled single sign-on for %(email)s.", email=typed.value),
        choices=tuple(
            Choice(only or _("Continue with %(name)s", name=way.name), way.name, page_url(way.path))
            for way in ways
        ),
        links=(_other_ways(),),
    )
    return await show_form(session, page)


async def lead_to_company(session: ExperienceSession, email: str) -> Response | None:
    """Go to the page of the address's providers, or return None if its domain has no connector."""
    if not sso.list_connectors_of(session, email):
        return None
    await session.begin(Event.SIGN_IN)
    await session.save(replace(session.experience, typed=Identifier("email", email)))
    return go_to(_CONNECTORS_PAGE)


async def lead_typed_to_company(session: ExperienceSession) -> Response | None:
    """Go to the page of the providers for the address in a sent form, before its other fields are checked."""
    typed = (await request.form).get("identifier", "") if request.method == "POST" else ""
    return await lead_to_company(session, typed.strip())


def links_to_single_sign_on(session: ExperienceSession) -> tuple[Link, ...]:
    """Return the link of the sign-in page, if there is a connector to sign in through."""
    if not session.settings.single_sign_on or not _has_connectors():
        return ()
    return (Link(_("Use single sign-on"), page_url(_EMAIL_PAGE)),)


async def _find_company(session: ExperienceSession, page: FormPage) -> Response:
    typed = read_identifier(page.value("identifier"), ("email",))
    way = await lead_to_company(session, typed.value)
    if way is None:
        sentence = _("Single sign-on is not enabled for this email account.")
        raise RequestError(422, "page.no_connector", sentence)
    return way


def _other_ways() -> Link:
    return Link(_("Other ways to sign in"), page_url("/sign-in"))


def _has_connectors() -> bool:
    return any(connector.is_available for connector in list_sso_connectors(current_store()))
