"""What tests create at the provider: people, organizations, applications and messages, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Person:
    """A person with an account."""

    id: str
    username: str
    password: str = field(repr=False)
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Organization:
    """A Logto organization, the tenant of most products."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Application:
    """A registered web application: the configuration of its OpenID Connect client."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Machine:
    """A program that gets tokens with client credentials."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """An email or text message on the messages page. ``usage`` is Logto's template type."""

    recipient: str
    usage: str
    code: str | None
    link: str | None
    subject: str | None
    text: str | None
