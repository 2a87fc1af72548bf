"""A verified address that turned out otherwise: no account when signing in, an account when signing up.

The code is used, the proof stays: one button does with it what the person did not know to ask for.
"""

from __future__ import annotations

from quart import Blueprint, Response

from local_logto.experience.flow import switch_event
from local_logto.experience.pages.forms import FormPage, Link
from local_logto.experience.pages.identifiers import shown
from local_logto.experience.pages.responses import answer_form, go_to, page_url, show_notice, sign_in_page
from local_logto.experience.pages.steps import complete, find_sent_code, is_underway
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event, VerificationRecord

blueprint = Blueprint("surprises", __name__)
_METHODS = ["GET", "POST"]
_KINDS = {"email": "email", "phone": "phone number"}


@blueprint.route("/sign-in/no-account", methods=_METHODS)
@sign_in_page
async def no_account(session: ExperienceSession) -> Response:
    """Create the account that was not found, with the address that was just verified."""
    proof = _find_proof(session, Event.SIGN_IN)
    if proof is None:
        return go_to("/sign-in")
    kind, address = _KINDS[proof.identifier.type], shown(proof.identifier)
    if not session.settings.registers_by_code(proof.identifier.type):
        return await show_notice(
            "No account found",
            f"The account with {kind} {address} does not exist.",
            links=((f"Change {kind}", page_url("/sign-in")),),
        )
    page = FormPage(
        "Create your account",
        "Continue",
        (),
        f"No account found for {address}. Create a new one?",
        links=(Link("Back", page_url("/sign-in")),),
    )

    async def register(session: ExperienceSession, _page: FormPage) -> Response:
        await switch_event(session, Event.REGISTER)
        return await complete(session, proof.id)

    return await answer_form(session, page, register)


@blueprint.route("/register/account-exists", methods=_METHODS)
@sign_in_page
async def account_exists(session: ExperienceSession) -> Response:
    """Sign in to the account that has the address that was just verified."""
    proof = _find_proof(session, Event.REGISTER)
    if proof is None:
        return go_to("/register")
    kind, address = _KINDS[proof.identifier.type], shown(proof.identifier)
    if not session.settings.signs_in_by_code(proof.identifier.type):
        return await show_notice(
            "This account exists already",
            f"The account with {kind} {address} is linked to another account. Please try another {kind}.",
            links=((f"Change {kind}", page_url("/register")), ("Sign in", page_url("/sign-in"))),
        )
    page = FormPage(
        "Sign in to your account",
        "Continue",
        (),
        f"An account with {address} already exists. Continue to sign in.",
        links=(Link("Back", page_url("/register")),),
    )

    async def sign_in(session: ExperienceSession, _page: FormPage) -> Response:
        await switch_event(session, Event.SIGN_IN)
        return await complete(session, proof.id)

    return await answer_form(session, page, sign_in)


def _find_proof(session: ExperienceSession, event: Event) -> VerificationRecord | None:
    sent = find_sent_code(session) if is_underway(session, event) else None
    return sent if sent and sent.verified else None
