"""Types of the fixtures that are functions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from contract.client import LogtoBrowser, Reply
from contract.oidc import Tokens
from contract.people import App, Person
from contract.recordings import Replacements

NewBrowser = Callable[[], LogtoBrowser]


class SignIn(Protocol):
    """A function that signs a person in from a new browser."""

    def __call__(self, person: Person, app: App | None = None, **parameters: object) -> Awaitable[Tokens]: ...


class LikeRecording(Protocol):
    """A function that compares a reply with a recording."""

    def __call__(self, name: str, reply: Reply, replacing: Replacements | None = None) -> None: ...
