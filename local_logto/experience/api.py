"""The Experience API, /api/experience: what a program calls to sign somebody in (Logto 1.42)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.experience import flow, shapes
from local_logto.experience.session import ExperienceSession, open_session
from local_logto.experience.sign_in_experience import read_sign_in_experience
from local_logto.experience.state import Event, Identifier
from local_logto.experience.verification import (
    send_code,
    verify_code,
    verify_identifier_password,
    verify_new_password_identity,
)
from local_logto.management.guard import read_body
from local_logto.refusals import refusal
from local_logto.responses import created, json_response, no_content

blueprint = Blueprint("api", __name__, url_prefix="/api/experience")


@blueprint.put("")
async def begin() -> Response:
    """Start or restart the interaction with an event."""
    session = await _open()
    body = await read_body(shapes.BEGIN)
    await session.begin(Event(body["interactionEvent"]))
    return no_content()


@blueprint.put("/interaction-event")
async def change_event() -> Response:
    session = await _open_begun()
    body = await read_body(shapes.BEGIN)
    await flow.switch_event(session, Event(body["interactionEvent"]))
    return no_content()


@blueprint.get("/interaction")
async def show_interaction() -> Response:
    session = await _open_begun()
    return json_response(session.experience.to_public_json())


@blueprint.post("/verification/password")
async def check_password() -> Response:
    session = await _open_begun()
    body = await read_body(shapes.CHECK_PASSWORD)
    identifier = Identifier.from_json(body["identifier"])
    return _verified(await verify_identifier_password(session, identifier, body["password"]))


@blueprint.post("/verification/new-password-identity")
async def check_new_password_identity() -> Response:
    session = await _open_begun()
    body = await read_body(shapes.NEW_PASSWORD_IDENTITY)
    identifier = Identifier.from_json(body["identifier"])
    return _verified(await verify_new_password_identity(session, identifier, body["password"]))


@blueprint.post("/verification/verification-code")
async def send_verification_code() -> Response:
    session = await _open_begun()
    body = await read_body(shapes.SEND_CODE)
    recipient = Identifier.from_json(body["identifier"])
    return _verified(await send_code(session, recipient, Event(body["interactionEvent"])))


@blueprint.post("/verification/verification-code/verify")
async def check_verification_code() -> Response:
    session = await _open_begun()
    body = await read_body(shapes.CHECK_CODE)
    recipient = Identifier.from_json(body["identifier"])
    return _verified(await verify_code(session, body["verificationId"], recipient, body["code"]))


@blueprint.post("/profile")
async def add_to_profile() -> Response:
    session = await _open_begun()
    body = await read_body(shapes.ADD_TO_PROFILE)
    if body["type"] == "username":
        await flow.add_username(session, body["value"])
    elif body["type"] == "password":
        await flow.add_password(session, body["value"])
    else:
        await flow.add_verified_address(session, body["type"], body["verificationId"])
    return no_content()


@blueprint.put("/profile/password")
async def replace_password() -> Response:
    session = await _open_begun()
    body = await read_body(shapes.REPLACE_PASSWORD)
    await flow.replace_password(session, body["password"])
    return no_content()


@blueprint.post("/identification")
async def identify() -> Response:
    """204 for somebody known, 201 and the text ``Created`` for a new account."""
    session = await _open_begun()
    body = await read_body(shapes.IDENTIFY)
    await flow.identify(session, body.get("verificationId"))
    if session.experience.event is Event.REGISTER:
        return created()
    return no_content()


@blueprint.post("/submit")
async def submit() -> Response:
    """200 with where to go on, or 204 when a password was reset."""
    session = await _open_begun()
    redirect_to = await flow.submit(session)
    return json_response({"redirectTo": redirect_to}) if redirect_to else no_content()


async def _open() -> ExperienceSession:
    store = current_store()
    return await open_session(request, store, await read_sign_in_experience(store))


async def _open_begun() -> ExperienceSession:
    """The session, refused with 404 ``session.interaction_not_found`` before an event is set."""
    session = await _open()
    if session.begun is None:
        raise refusal("session.interaction_not_found")
    return session


def _verified(verification_id: str) -> Response:
    return json_response({"verificationId": verification_id})
