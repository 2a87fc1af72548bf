"""Quart's own session, which carries only flashed notices, for requests that have or need one."""

from __future__ import annotations

from typing import Final

from quart import Quart, Response, flash
from quart.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from quart.wrappers import BaseRequestWebsocket
from werkzeug.wrappers import Response as WerkzeugResponse

from saas_app.text.translation import Sentence

WELCOME: Final = "welcome"
"""The tone of the notice for new members. The overview greets them instead of showing it."""


async def notify(text: Sentence, tone: str = "success") -> None:
    """Show a notice on the next page, in the language of this one. Tones: success, info, warning, danger."""
    await flash(text.shown, tone)


class Notices(SecureCookieSessionInterface):
    """Reads and writes the signed cookie. Without one, no signer is made and nothing is written."""

    async def open_session(self, app: Quart, request: BaseRequestWebsocket) -> SecureCookieSession | None:
        """Return the notices of the cookie, or none if there is no cookie or its signature is wrong."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return await super().open_session(app, request)

    async def save_session(
        self, app: Quart, session: SessionMixin, response: Response | WerkzeugResponse | None
    ) -> None:
        """Set or delete the cookie if the view read or changed the notices."""
        if session.accessed or session.modified:
            await super().save_session(app, session, response)
