"""Sending a verification code during a sign-in, with the data for its template."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from local_logto.connectors import sending
from local_logto.connectors.context import message_context
from local_logto.connectors.languages import preferred_language
from local_logto.connectors.sending import Kind, Outgoing
from local_logto.context import current_settings
from local_logto.errors import RequestError
from local_logto.experience.json_access import mapping, text
from local_logto.experience.session import ExperienceSession
from local_logto.experience.state import Identifier
from local_logto.settings_rows import SIGN_IN_EXP, read_setting
from local_logto.store import Store
from local_logto.verification_codes import send_code


class UnsentMessage(RequestError):
    """A connector's failure to send. The API treats it like any error. A page does not blame the
    person's input.
    """

    @property
    def status_of_page(self) -> int:
        """The page's status: 501 without a connector, 504 if its provider timed out, otherwise 502."""
        if self.code == "connector.not_found":
            return 501
        is_timeout = isinstance(self.data, dict) and self.data.get("code") == "ETIMEDOUT"
        return 504 if is_timeout else 502


@contextmanager
def as_unsent() -> Iterator[None]:
    """Send within the block. A connector's failure becomes ``UnsentMessage``; other errors pass unchanged."""
    try:
        yield
    except RequestError as error:
        if not error.code.startswith("connector."):
            raise
        raise UnsentMessage(
            error.status, error.code, error.message, data=error.data, details=error.details
        ) from error


async def send_new_code(
    session: ExperienceSession,
    verification_id: str,
    recipient: Identifier,
    usage: str,
    *,
    is_delivered: bool = True,
) -> None:
    """Send a code and store it for this verification. ``usage`` is Logto's template type.

    With ``is_delivered=False`` nothing is sent, and the caller cannot tell. Raises ``UnsentMessage`` if the
    connector fails, and 429 ``request.message_rate_limited`` after the tenth message in ten minutes.
    """
    kind = _kind(recipient.type)
    payload = _payload(session, kind) if is_delivered else {}
    message = Outgoing(kind, recipient.value, usage, payload)
    with as_unsent():
        await send_code(
            session.store, current_settings(), verification_id, message, is_delivered=is_delivered
        )


def goes_to_messages_page(store: Store, recipient_type: str) -> bool:
    """Return whether messages to this type of address stay on the messages page."""
    return sending.goes_to_messages_page(store, _kind(recipient_type))


def _kind(recipient_type: str) -> Kind:
    return "email" if recipient_type == "email" else "phone"


def _payload(session: ExperienceSession, kind: Kind) -> dict[str, object]:
    """Return the person's languages, and for emails the request's application and organization."""
    params = session.interaction.params
    settings = read_setting(session.store, SIGN_IN_EXP)
    ui_locales = text(params, "ui_locales")
    accepted = session.request.accept_languages
    payload: dict[str, object] = {
        "locale": preferred_language(mapping(settings, "languageInfo"), ui_locales, accepted)
    }
    if ui_locales:
        payload["uiLocales"] = ui_locales
    if kind == "email":
        payload |= message_context(
            session.store,
            application=session.interaction.client_id,
            organization=text(params, "organization_id"),
        )
    return payload
