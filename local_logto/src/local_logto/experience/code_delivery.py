"""Sending a verification code in the middle of a sign-in, with what its template may say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from local_logto.connectors import sending
from local_logto.connectors.context import message_context
from local_logto.connectors.languages import message_locale
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
    """The connector's refusal to send: for the API like any other, for a page no fault of what was typed."""

    @property
    def status_of_page(self) -> int:
        """501 without a connector, 504 when its provider was silent, 502 when that refused."""
        if self.code == "connector.not_found":
            return 501
        is_timeout = isinstance(self.data, dict) and self.data.get("code") == "ETIMEDOUT"
        return 504 if is_timeout else 502


@contextmanager
def as_unsent() -> Iterator[None]:
    """Send within the block: a connector's failure leaves it as ``UnsentMessage``, the rest as it is."""
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
    """Send a code and keep it for this verification; ``usage`` is Logto's template type.

    With ``is_delivered=False`` nobody gets it, and the caller cannot tell. Raises ``UnsentMessage`` when the
    connector fails and 429 ``request.message_rate_limited`` after the tenth in ten minutes.
    """
    kind = _kind(recipient.type)
    payload = await _payload(session, kind) if is_delivered else {}
    message = Outgoing(kind, recipient.value, usage, payload)
    with as_unsent():
        await send_code(
            session.store, current_settings(), verification_id, message, is_delivered=is_delivered
        )


async def is_kept_here(store: Store, recipient_type: str) -> bool:
    """Whether messages to this kind of address end on the messages page and leave this machine never."""
    return await sending.is_kept_here(store, _kind(recipient_type))


def _kind(recipient_type: str) -> Kind:
    return "email" if recipient_type == "email" else "phone"


async def _payload(session: ExperienceSession, kind: Kind) -> dict[str, object]:
    """The languages of the person, and in emails the application and the organization of the request."""
    params = session.interaction.params
    settings = await read_setting(session.store, SIGN_IN_EXP)
    ui_locales = text(params, "ui_locales")
    accepted = session.request.accept_languages
    payload: dict[str, object] = {
        "locale": message_locale(mapping(settings, "languageInfo"), ui_locales, accepted)
    }
    if ui_locales:
        payload["uiLocales"] = ui_locales
    if kind == "email":
        payload |= await message_context(
            session.store,
            application=session.interaction.client_id,
            organization=text(params, "organization_id"),
        )
    return payload
