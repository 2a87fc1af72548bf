"""What the provider makes for a test: people, organizations, applications and messages, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    id: str
    username: str
    password: str = field(repr=False)
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization of Logto's, the tenant of most products."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Application:
    """A registered web application; what its OpenID Connect client is configured with."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Machine:
    """A program that asks for tokens by client credentials."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """An email or text message that would have been sent; ``usage`` is Logto's template type."""

    recipient: str
    usage: str
    code: str | None
    link: str | None
    subject: str | None
    text: str | None
