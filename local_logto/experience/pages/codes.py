"""Typing back a code that was sent: /<flow>/verification-code."""

from __future__ import annotations

from quart import Blueprint, Response, request

from local_logto.experience.flow import add_verified_address, identify
from local_logto.experience.pages.forms import FormPage, Link, SideAction, code_field
from local_logto.experience.pages.responses import answer_form, go_to, page_url, sign_in_page
from local_logto.experience.pages.steps import complete, find_pending_code, send_code_to
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import VerificationRecord
from local_logto.experience.verification import verify_code

blueprint = Blueprint("codes", __name__)
_METHODS = ["GET", "POST"]


@blueprint.route(
    "/<any('sign-in', 'register', 'forgot-password', 'continue'):flow>/verification-code", methods=_METHODS
)
@sign_in_page
async def verification_code(session: ExperienceSession, flow: str) -> Response:
    pending = find_pending_code(session)
    if pending is None:
        return go_to("/sign-in" if flow == "continue" else f"/{flow}")

    async def resend(session: ExperienceSession, _page: FormPage) -> Response:
        await send_code_to(session, pending.identifier, session.experience.event)
        return go_to(request.path, notice="code-sent")

    async def check(session: ExperienceSession, page: FormPage) -> Response:
        await verify_code(session, pending.id, pending.identifier, page.value("code"))
        return await _go_on(session, flow, pending)

    return await answer_form(session, _page(session, flow, pending), check, resend)


async def _go_on(session: ExperienceSession, flow: str, proof: VerificationRecord) -> Response:
    if flow == "continue":
        await add_verified_address(session, proof.identifier.type, proof.id)
        return await complete(session)
    if flow == "forgot-password":
        await identify(session, proof.id)
        return go_to("/forgot-password/reset")
    return await complete(session, proof.id)


def _page(session: ExperienceSession, flow: str, pending: VerificationRecord) -> FormPage:
    kind, method = pending.identifier.type, session.settings.find_method(pending.identifier.type)
    links = [Link("Back", page_url("/sign-in" if flow == "continue" else f"/{flow}"))]
    if flow == "sign-in" and method and method.password:
        links.insert(0, Link("Sign in with password", page_url("/sign-in/password")))
    if flow == "register" and session.settings.allows_sign_in:
        links.insert(0, Link("Sign in", page_url("/sign-in"), "Already have an account?"))
    return FormPage(
        "Verify your email" if kind == "email" else "Verify your phone number",
        "Continue",
        (code_field(),),
        description=f"A verification code was sent to {pending.identifier.value}. "
        "On this server you read it under Messages.",
        links=tuple(links),
        side_actions=(SideAction("Resend verification code", "resend"),),
        notice="The code was sent again." if request.args.get("notice") == "code-sent" else "",
    )
