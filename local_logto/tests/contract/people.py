"""The people and applications of a test, as values."""

from __future__ import annotations

from dataclasses import dataclass

CALLBACK = "http://localhost:3000/callback"
AFTER_SIGN_OUT = "http://localhost:3000/"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account; ``email`` and ``phone`` may be empty."""

    id: str
    username: str
    password: str
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class App:
    """A registered application; a public one has no secret."""

    id: str
    secret: str | None = None
    redirect_uri: str = CALLBACK
