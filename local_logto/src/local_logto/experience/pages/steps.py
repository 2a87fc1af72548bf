"""What happens after a proof on any page: back to the application, or to what is still missing."""

from __future__ import annotations

from dataclasses import replace

from quart import Response, request

from local_logto.errors import RequestError
from local_logto.experience.flow import identify, submit
from local_logto.experience.json_access import strings
from local_logto.experience.pages.identifiers import shown
from local_logto.experience.pages.mfa_paths import path_demanded_by
from local_logto.experience.pages.responses import go_to
from local_logto.experience.pages.single_sign_on import lead_to_company
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event, Identifier, Proof, VerificationRecord
from local_logto.experience.verification import send_code
from local_logto.responses import redirect_response

_CODE_PROOFS = (Proof.EMAIL_CODE, Proof.PHONE_CODE)


async def complete(
    session: ExperienceSession, verification_id: str | None = None, *, links_social: bool = False
) -> Response:
    """Identify or register the person and return to the application, or go to a page for what is missing."""
    try:
        if verification_id is not None or session.experience.user_id is None:
            await identify(session, verification_id, links_social=links_social)
        resume_at = await submit(session)
    except RequestError as error:
        way_on = path_demanded_by(error) or _path_to_what_is_missing(error)
        if way_on is not None:
            return go_to(way_on)
        company = await _lead_to_company(session, verification_id, error)
        if company is None:
            raise
        return company
    return redirect_response(resume_at) if resume_at else go_to("/sign-in", notice="password-changed")


async def _lead_to_company(
    session: ExperienceSession, verification_id: str | None, error: RequestError
) -> Response | None:
    """Lead to the address's provider if the proof was refused because there is one."""
    if error.code != "session.sso_enabled" or verification_id is None:
        return None
    record, social = session.experience.find_record(verification_id), session.experience.social
    address = record.identifier.value if record else social.user.email if social and social.user else None
    return await lead_to_company(session, address) if address else None


def _path_to_what_is_missing(error: RequestError) -> str | None:
    missing = strings(error.data, "missingProfile") if isinstance(error.data, dict) else ()
    return f"/continue/{missing[0]}" if error.code == "user.missing_profile" and missing else None


async def send_code_to(session: ExperienceSession, recipient: Identifier, event: Event) -> None:
    """Send a code and remember the recipient for the next page."""
    await session.save(replace(session.experience, typed=recipient))
    await send_code(session, recipient, event)


def find_sent_code(session: ExperienceSession) -> VerificationRecord | None:
    """Return the code verification for the identifier typed last, verified or not."""
    if session.begun is None:
        return None
    return next(
        (
            record
            for record in session.begun.records
            if record.proof in _CODE_PROOFS and record.identifier == session.begun.typed
        ),
        None,
    )


def is_underway(session: ExperienceSession, event: Event) -> bool:
    return session.begun is not None and session.begun.event is event


def has_identified(session: ExperienceSession) -> bool:
    """Return whether the person who is signing in is already identified."""
    begun = session.begun
    return begun is not None and begun.user_id is not None and begun.event is not Event.FORGOT_PASSWORD


def known_identifier(session: ExperienceSession, types: tuple[str, ...]) -> str:
    """Return the initial value of the field: what was typed before, or the application's ``login_hint``."""
    typed = session.begun.typed if session.begun else None
    return shown(typed) if typed and typed.type in types else request.args.get("login_hint", "")
