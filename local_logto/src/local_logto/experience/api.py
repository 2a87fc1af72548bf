"""The Experience API, /api/experience: what a program calls to sign a person in (Logto 1.42)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.experience import flow, profile, shapes, social, sso
from local_logto.experience.departures import Departure
from local_logto.experience.session import ExperienceSession, open_session
from local_logto.experience.sign_in_experience import read_sign_in_experience
from local_logto.experience.state import Event, Identifier
from local_logto.experience.verification import (
    send_code,
    verify_code,
    verify_identifier_password,
    verify_new_password_identity,
    verify_one_time_token,
)
from local_logto.management.guard import read_body, read_query
from local_logto.refusals import refusal
from local_logto.responses import created, json_response, no_content

blueprint = Blueprint("api", __name__, url_prefix="/api/experience")


@blueprint.put("")
async def begin() -> Response:
    """Start or restart the interaction with an event."""
    session = _open()
    body = await read_body(shapes.BEGIN)
    await session.begin(Event(body["interactionEvent"]))
    return no_content()


@blueprint.put("/interaction-event")
async def change_event() -> Response:
    session = open_begun()
    body = await read_body(shapes.BEGIN)
    await flow.switch_event(session, Event(body["interactionEvent"]))
    return no_content()


@blueprint.get("/interaction")
async def show_interaction() -> Response:
    session = open_begun()
    return json_response(session.experience.to_public_json())


@blueprint.post("/verification/password")
async def check_password() -> Response:
    session = open_begun()
    body = await read_body(shapes.CHECK_PASSWORD)
    identifier = Identifier.from_json(body["identifier"])
    return verified(await verify_identifier_password(session, identifier, body["password"]))


@blueprint.post("/verification/new-password-identity")
async def check_new_password_identity() -> Response:
    session = open_begun()
    body = await read_body(shapes.NEW_PASSWORD_IDENTITY)
    identifier = Identifier.from_json(body["identifier"])
    return verified(await verify_new_password_identity(session, identifier, body["password"]))


@blueprint.post("/verification/verification-code")
async def send_verification_code() -> Response:
    session = open_begun()
    body = await read_body(shapes.SEND_CODE)
    recipient = Identifier.from_json(body["identifier"])
    return verified(await send_code(session, recipient, Event(body["interactionEvent"])))


@blueprint.post("/verification/verification-code/verify")
async def check_verification_code() -> Response:
    session = open_begun()
    body = await read_body(shapes.CHECK_CODE)
    recipient = Identifier.from_json(body["identifier"])
    return verified(await verify_code(session, body["verificationId"], recipient, body["code"]))


@blueprint.post("/verification/one-time-token/verify")
async def use_one_time_token() -> Response:
    session = open_begun()
    body = await read_body(shapes.USE_ONE_TIME_TOKEN)
    identifier = Identifier.from_json(body["identifier"])
    return verified(await verify_one_time_token(session, identifier, body["token"]))


@blueprint.post("/verification/social/<connector_id>/authorization-uri")
async def leave_for_provider(connector_id: str) -> Response:
    session = open_begun()
    body = await read_body(shapes.LEAVE_FOR_PROVIDER)
    return _departed(await social.depart(session, connector_id, body["state"], body["redirectUri"]))


@blueprint.post("/verification/social/<connector_id>/verify")
async def check_return_from_provider(connector_id: str) -> Response:
    """Verify a return from a provider. Comparing the ``state`` is left to the caller, as in Logto; our pages
    do it.
    """
    session = open_begun()
    body = await read_body(shapes.RETURN_FROM_PROVIDER)
    verification_id = body.get("verificationId", "")
    return verified(await social.verify_social(session, connector_id, verification_id, body["connectorData"]))


@blueprint.get("/sso-connectors")
async def list_sso_connectors() -> Response:
    """Return the IDs of the enterprise connectors for an address. No event has to be set before."""
    session = _open()
    email = read_query(shapes.FIND_CONNECTORS)["email"]
    return json_response({"connectorIds": [one.id for one in sso.list_connectors_of(session, email)]})


@blueprint.post("/verification/sso/<connector_id>/authorization-uri")
async def leave_for_company(connector_id: str) -> Response:
    session = open_begun()
    body = await read_body(shapes.LEAVE_FOR_PROVIDER)
    return _departed(await sso.depart(session, connector_id, body["state"], body["redirectUri"]))


@blueprint.post("/verification/sso/<connector_id>/verify")
async def check_return_from_company(connector_id: str) -> Response:
    """Verify a return from a customer's provider. Comparing the ``state`` is left to the caller."""
    session = open_begun()
    body = await read_body(shapes.RETURN_FROM_COMPANY)
    data = body["connectorData"]
    return verified(await sso.verify_sso(session, connector_id, body["verificationId"], data))


@blueprint.post("/profile")
async def add_to_profile() -> Response:
    session = open_begun()
    body = await read_body(shapes.ADD_TO_PROFILE)
    if body["type"] == "username":
        await profile.add_username(session, body["value"])
    elif body["type"] == "password":
        await profile.add_password(session, body["value"])
    elif body["type"] == "social":
        await profile.add_social_identity(session, body["verificationId"])
    else:
        await profile.add_verified_address(session, body["type"], body["verificationId"])
    return no_content()


@blueprint.put("/profile/password")
async def replace_password() -> Response:
    session = open_begun()
    body = await read_body(shapes.REPLACE_PASSWORD)
    await profile.replace_password(session, body["password"])
    return no_content()


@blueprint.post("/identification")
async def identify() -> Response:
    """Answer 204 for an existing account, or 201 and the text ``Created`` for a new one."""
    session = open_begun()
    body = await read_body(shapes.IDENTIFY)
    links_social = body.get("linkSocialIdentity", False)
    await flow.identify(session, body.get("verificationId"), links_social=links_social)
    if session.experience.event is Event.REGISTER:
        return created()
    return no_content()


@blueprint.post("/submit")
async def submit() -> Response:
    """Answer 200 with the URL to continue at, or 204 after a password reset."""
    session = open_begun()
    redirect_to = await flow.submit(session)
    return json_response({"redirectTo": redirect_to}) if redirect_to else no_content()


def _open() -> ExperienceSession:
    store = current_store()
    return open_session(request, store, read_sign_in_experience(store))


def open_begun() -> ExperienceSession:
    """Return the session. Raises 404 ``session.interaction_not_found`` if no event is set."""
    session = _open()
    if session.begun is None:
        raise refusal("session.interaction_not_found")
    return session


def _departed(departure: Departure) -> Response:
    shown = {"authorizationUri": departure.authorization_uri}
    return json_response(shown | {"verificationId": departure.verification_id})


def verified(verification_id: str) -> Response:
    """Return the response of every verification."""
    return json_response({"verificationId": verification_id})
