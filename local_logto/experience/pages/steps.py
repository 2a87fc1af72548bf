"""What happens after a proof, whatever page it was given on: on to the application, or to what is missing."""

from __future__ import annotations

from dataclasses import replace

from quart import Response

from local_logto.errors import RequestError
from local_logto.experience.flow import identify, submit
from local_logto.experience.json_access import strings
from local_logto.experience.pages.responses import go_to
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Event, Identifier, Proof, VerificationRecord
from local_logto.experience.verification import send_code
from local_logto.responses import redirect_response

_CODE_PROOFS = (Proof.EMAIL_CODE, Proof.PHONE_CODE)


async def complete(session: ExperienceSession, verification_id: str | None = None) -> Response:
    """Identify or register the person and return to the application, by way of what the account lacks."""
    try:
        if verification_id is not None or session.experience.user_id is None:
            await identify(session, verification_id)
        resume_at = await submit(session)
    except RequestError as error:
        missing = strings(error.data, "missingProfile") if isinstance(error.data, dict) else ()
        if error.code != "user.missing_profile" or not missing:
            raise
        return go_to(f"/continue/{missing[0]}")
    return redirect_response(resume_at) if resume_at else go_to("/sign-in", notice="password-changed")


async def send_code_to(session: ExperienceSession, recipient: Identifier, event: Event) -> None:
    """Send a code and remember for the next page where it went."""
    await session.keep(replace(session.experience, typed=recipient))
    await send_code(session, recipient, event)


def find_pending_code(session: ExperienceSession) -> VerificationRecord | None:
    """The proof whose code was sent last, while it is not verified."""
    if session.begun is None:
        return None
    return next(
        (
            record
            for record in session.begun.records
            if record.proof in _CODE_PROOFS
            and record.identifier == session.begun.typed
            and not record.verified
        ),
        None,
    )


def is_underway(session: ExperienceSession, event: Event) -> bool:
    return session.begun is not None and session.begun.event is event
