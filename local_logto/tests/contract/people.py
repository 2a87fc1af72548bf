"""The people and applications of a test, as values."""

from __future__ import annotations

from dataclasses import dataclass

from local_logto.testing import Person

__all__ = ["AFTER_SIGN_OUT", "CALLBACK", "App", "Person"]

CALLBACK = "http://localhost:3000/callback"
AFTER_SIGN_OUT = "http://localhost:3000/"


@dataclass(frozen=True, slots=True)
class App:
    """A registered application. A public one has no secret."""

    id: str
    secret: str | None = None
    redirect_uri: str = CALLBACK
