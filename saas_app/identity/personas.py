"""Demo people whom a visitor can play: a real sign-in of that person, by script, beside the visitor's own.

The visitor's session is not touched. Its cookie waits in a sealed cookie beside the session cookie of the
person they play, with what is needed to renew that session. The sealed cookie names the session that it
belongs to, so with any other session it means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from saas_app.errors import NotFound
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.logto_messages import SignInOptions
from saas_app.identity.scripted_browser import Password, ScriptedBrowser
from saas_app.identity.sign_in import Browser, SignedIn, SignIn
from saas_app.identity.vault import Vault, fingerprint
from saas_app.text.translation import _

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person of the demo, as the file of demo people describes them. ``hints`` are by language."""

    identifier: str
    password: str = field(repr=False)
    name: str
    hint: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)

    def hint_in(self, language: str) -> str:
        """Return the roles with which the person began, in a language."""
        return self.hints.get(language, self.hint)


@dataclass(frozen=True, slots=True)
class Persona:
    """A visitor who plays a demo person: whom they play, and who they are themselves.

    ``session`` is the hash of the session cookie that this belongs to. ``own_session`` is the visitor's own
    session cookie. ``at_logto`` are the cookies of the person's session at Logto.
    """

    username: str
    own_session: str = field(repr=False)
    own_name: str
    own_username: str | None
    session: str = ""
    at_logto: Mapping[str, str] = field(default_factory=dict, repr=False)


_PEOPLE: Final = TypeAdapter(tuple[DemoPerson, ...])
_SEALED: Final = TypeAdapter(Persona)


def read_people(file: Path) -> tuple[DemoPerson, ...]:
    """Read the demo people. A file that is missing or cannot be read has none."""
    try:
        return _PEOPLE.validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        log.warning("the file of demo people cannot be read", file=str(file), reason=type(error).__name__)
        return ()


class Personas:
    """Signs visitors in as demo people."""

    def __init__(
        self,
        people: tuple[DemoPerson, ...],
        sign_in: SignIn,
        provider: LogtoProvider,
        vault: Vault,
        *,
        redirect_uri: str,
    ) -> None:
        self.people = people
        self._sign_in = sign_in
        self._provider = provider
        self._vault = vault
        self._redirect_uri = redirect_uri

    def get(self, username: str) -> DemoPerson:
        """Return the demo person with this username. Raises :class:`NotFound`."""
        for person in self.people:
            if person.identifier == username:
                return person
        raise NotFound(_("This person is not, or no longer, one of the demo people."))

    async def sign_in(
        self,
        persona: Persona,
        visitor: Browser,
        next_path: str,
        options: SignInOptions,
        *,
        renewed_for: str | None = None,
    ) -> tuple[SignedIn, Persona]:
        """Sign the person in, or renew their session, which is the one of ``visitor``.

        While the person's session at Logto lives and ``options`` do not ask for a fresh sign-in, this is the
        silent round trip that a browser would make. Returns the result, and the persona that belongs to it.
        Raises :class:`ScriptedSignInFailed`, :class:`SignInFailed`, :class:`LogtoUnavailable`, and
        :class:`NotFound` if the person is no demo person.
        """
        person = self.get(persona.username)
        visitor = replace(visitor, attempt_cookie="")  # the attempt never leaves this request
        url, attempt = await self._sign_in.start(visitor, next_path, options, renewed_for=renewed_for)
        browser = ScriptedBrowser(self._provider.http, url, persona.at_logto)
        callback_url = await browser.authorize(
            self._redirect_uri, Password(person.identifier, person.password)
        )
        done = await self._sign_in.finish(replace(visitor, attempt_cookie=attempt), callback_url)
        session = fingerprint(done.session_cookie or visitor.session_cookie).hex()
        return done, replace(persona, session=session, at_logto=browser.cookies)

    def seal(self, persona: Persona) -> str:
        """Return the value of the cookie beside the session's."""
        return self._vault.seal(_SEALED.dump_json(persona).decode()).decode()

    def open(self, sealed: str, session_cookie: str) -> Persona | None:
        """Return the persona of a session, or None if the sealed cookie belongs to another one."""
        opened = self._vault.find(sealed)
        if opened is None:
            return None
        try:
            persona = _SEALED.validate_json(opened)
        except ValidationError:
            return None
        return persona if persona.session == fingerprint(session_cookie).hex() else None
