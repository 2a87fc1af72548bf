"""The addresses of an identity provider: the issuer that an admin typed, and the published endpoints. Pure.

Workroom calls these addresses, and browsers go to them, which read them with rules of their own (WHATWG URL).
An address that programs could read as different hosts is rejected: backslashes, spaces, numbers in place of a
name.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from saas_app.text.domains import ascii_domain, is_private_name
from saas_app.text.translation import Sentence, _, ngettext

ISSUER_LENGTH: Final = 500
"""Characters. Addresses of the large providers have about a hundred."""

DISCOVERY_PATH: Final = "/.well-known/openid-configuration"

_INVALID: Final = _("Enter a valid address, like https://login.example.com or https://example.com/sso.")
_ENDPOINT_LENGTH: Final = 2000  # characters
_PATH: Final = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")
_QUERY: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?=/|$)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


class NotAnIssuer(ValueError):
    """The text is not an issuer that may be called. ``reason`` is for the person who typed it."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAnEndpoint(ValueError):
    """The value is not an address that may be called."""


def read_issuer(typed: str, *, allows_private: bool) -> str:
    """Return the issuer as it is stored: ``https://login.example.com/path``, without a final slash.

    The address of the provider's metadata, which many consoles show, is accepted for the issuer in it.
    ``allows_private`` accepts ``http``, IP addresses and names of private networks too. Raises
    :class:`NotAnIssuer`.
    """
    text = typed.strip()
    if not text:
        raise NotAnIssuer(_("Enter the issuer of your identity provider, like https://login.example.com."))
    parts = _split(text if "://" in text else f"https://{text}")
    if parts.scheme != "https" and not (allows_private and parts.scheme == "http"):
        raise NotAnIssuer(_("The issuer must start with https://."))
    if "@" in parts.netloc:
        raise NotAnIssuer(_("Remove the user name and password from the issuer."))
    if "?" in text or "#" in text:
        raise NotAnIssuer(_("Remove the part of the issuer from ? or # on."))
    path = parts.path.rstrip("/").removesuffix(DISCOVERY_PATH).rstrip("/")
    if "{" in path:
        raise NotAnIssuer(_("Replace the part in braces with the value of your organization."))
    if not _PATH.fullmatch(path) or _DOTS.search(path):
        raise NotAnIssuer(_("The path of the issuer contains something that an address cannot have."))
    try:
        issuer = f"{parts.scheme}://{_host_and_port(parts, allows_private=allows_private)}{path}"
    except _PrivateHost:
        raise NotAnIssuer(
            _(
                "The issuer must name a host on the internet, like login.example.com. IP addresses and names "
                "of private networks are not accepted."
            )
        ) from None
    except ValueError:
        raise NotAnIssuer(_INVALID) from None
    if len(issuer) > ISSUER_LENGTH:
        raise NotAnIssuer(
            ngettext("Use at most %(num)s character.", "Use at most %(num)s characters.", ISSUER_LENGTH)
        )
    return issuer


class Endpoint(NamedTuple):
    """An address that a provider publishes. ``host`` is in lower case, and an IPv6 one has no brackets."""

    address: str
    host: str


def read_endpoint(address: object, *, allows_private: bool) -> Endpoint:
    """Read an endpoint that a provider publishes. A query is fine.

    It must be ``https`` without a user name, and name a host as :func:`read_issuer` accepts it. Raises
    :class:`NotAnEndpoint`.
    """
    if not isinstance(address, str) or len(address) > _ENDPOINT_LENGTH or not address.isascii():
        raise NotAnEndpoint
    try:
        parts = _split(address)
        _host_and_port(parts, allows_private=allows_private)
    except ValueError:
        raise NotAnEndpoint from None
    if parts.scheme != "https" and not (allows_private and parts.scheme == "http"):
        raise NotAnEndpoint
    if "@" in parts.netloc or "#" in address:
        raise NotAnEndpoint
    if not _PATH.fullmatch(parts.path) or _DOTS.search(parts.path) or not _QUERY.fullmatch(parts.query):
        raise NotAnEndpoint
    return Endpoint(address, parts.hostname or "")


class _PrivateHost(ValueError):
    """The host is an IP address or has a name of a private network."""


def _split(address: str) -> SplitResult:
    if not address.isprintable() or " " in address or "\\" in address:
        raise NotAnIssuer(_("The issuer contains a space or another character that an address cannot have."))
    try:
        return urlsplit(address)
    except ValueError:
        raise NotAnIssuer(_INVALID) from None


def _host_and_port(parts: SplitResult, *, allows_private: bool) -> str:
    """Return ``host[:port]`` in the normal form. Raises :class:`ValueError`, or :class:`_PrivateHost`."""
    port = parts.port
    if port == 0 or (port is None and parts.netloc.endswith(":")):
        raise ValueError("not a port")
    host = _host(parts.hostname or "", is_bracketed="[" in parts.netloc, allows_private=allows_private)
    return host if port is None else f"{host}:{port}"


def _host(name: str, *, is_bracketed: bool, allows_private: bool) -> str:
    if is_bracketed or _NUMBER.fullmatch(name.removesuffix(".").rpartition(".")[2]):
        if not allows_private:
            raise _PrivateHost
        return f"[{_ipv6(name)}]" if is_bracketed else str(IPv4Address(name))
    if name.endswith("."):
        raise ValueError("ends in a dot")
    if "." not in name and _LABEL.fullmatch(name):
        if not allows_private:
            raise _PrivateHost
        return name
    domain = ascii_domain(name)
    if is_private_name(domain) and not allows_private:
        raise _PrivateHost
    return domain


def _ipv6(name: str) -> IPv6Address:
    if "%" in name:
        raise ValueError("has a zone")
    return IPv6Address(name)
