"""Addresses in settings, checked at start, so that a typo does not cause a failure later.

Each function returns the normal form, or raises :class:`ValueError` with a sentence for the operator.
"""

from __future__ import annotations

import re
from email.utils import parseaddr
from ipaddress import AddressValueError, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

import idna

from saas_app.text.addresses import NotAnAddress, read_address
from saas_app.text.translation import _

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_UNWANTED: Final = re.compile(r"[\s\x00-\x1f\x7f\\<>\"'`{}|^]")
_NAME: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_REDIS_OPTIONS: Final = frozenset({"ssl_ca_certs", "ssl_cert_reqs", "ssl_check_hostname"})
_MAX_NAME: Final = 253


def origin_address(value: str) -> str:
    """Return ``scheme://host[:port]`` of a site that is served at its root."""
    parts = _web_parts(value)
    if parts.path not in ("", "/"):
        raise ValueError(_("must have no path: it is served at the root of its host"))
    return _rebuilt(parts, "")


def web_address(value: str) -> str:
    """Return an ``http`` or ``https`` address that may have a path, without a trailing slash."""
    parts = _web_parts(value)
    return _rebuilt(parts, parts.path.rstrip("/"))


def optional_web_address(value: str) -> str:
    """Return :func:`web_address` of the value, or "" for ""."""
    return web_address(value) if value.strip() else ""


def optional_loopback_address(value: str) -> str:
    """Return :func:`web_address` of a service on this machine, or "" for ""."""
    address = optional_web_address(value)
    if address and not is_loopback(urlsplit(address).hostname or ""):
        raise ValueError(
            _(
                "must be an address of this machine, such as http://127.0.0.1:3002: the practice service is "
                "broken on purpose"
            )
        )
    return address


def resource_indicator(value: str) -> str:
    """Return the indicator of an API resource (RFC 8707 §2) unchanged: tokens contain it literally."""
    parts = _split(value)
    if value != value.strip() or not parts.scheme or not (parts.netloc or parts.path):
        raise ValueError(_("must be an absolute URL, such as https://api.workroom.example"))
    if "#" in value:
        raise ValueError(_("must have no fragment"))
    return value


def redis_address(value: str) -> str:
    """Return ``redis://host[:port][/number]`` or ``rediss://…`` unchanged."""
    parts = _split(value)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError(_("must be memory:// or redis://host:port/number"))
    _port(parts)
    if not re.fullmatch(r"/?|/\d{1,5}", parts.path) or parts.fragment:
        raise ValueError(_("must end in a database number, such as redis://localhost:6379/0"))
    unknown = {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)} - _REDIS_OPTIONS
    if unknown:
        raise ValueError(_("has an unknown parameter: %(unknown)s", unknown=min(unknown)))
    return value.strip()


def smtp_address(value: str) -> str:
    """Return ``smtp://[user:password@]host[:port]`` or ``smtps://…`` unchanged, or "" for ""."""
    if not value.strip():
        return ""
    parts = _split(value)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError(_("must be smtp://user:password@host:587 or smtps://user:password@host:465"))
    _port(parts)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(_("must end after the host and port"))
    if bool(parts.username) != bool(parts.password):
        raise ValueError(_("must have both a user name and a password, or neither"))
    return value.strip()


def sender_address(value: str) -> str:
    """Return the sender of emails, such as ``Workroom <no-reply@work.example>``, or "" for ""."""
    try:
        if value.strip():
            read_address(parseaddr(value)[1] if value.isprintable() else "")
    except NotAnAddress:
        raise ValueError(_("must be an email address, such as Workroom <no-reply@work.example>")) from None
    return value.strip()


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_names(value: object) -> object:
    """Return the hosts of a comma-separated list, as they appear in a ``Host`` header without the port."""
    if not isinstance(value, str):
        return value
    return tuple(_host(item.strip()) for item in value.split(",") if item.strip())


def _web_parts(value: str) -> SplitResult:
    parts = _split(value)
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc:
        raise ValueError(_("must be an absolute http or https URL, such as https://work.example"))
    if "@" in parts.netloc:
        raise ValueError(_("must not contain a user name or password"))
    if "?" in value:
        raise ValueError(_("must have no query"))
    if "#" in value:
        raise ValueError(_("must have no fragment"))
    _port(parts)
    return parts


def _split(value: str) -> SplitResult:
    value = value.strip()
    if value[:1] in ("'", '"'):
        raise ValueError(_("has quotation marks around it: remove them"))
    if _UNWANTED.search(value):
        raise ValueError(_("contains a space or another character that a URL cannot have"))
    try:
        return urlsplit(value)
    except ValueError:
        raise ValueError(_("has brackets without a valid IPv6 address")) from None


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or (port is None and parts.netloc.endswith(":")):
        raise ValueError(_("must have a port from 1 to 65535, or no port"))
    return port


def _rebuilt(parts: SplitResult, path: str) -> str:
    port = _port(parts)
    host = _host(f"[{parts.hostname}]" if "[" in parts.netloc else parts.hostname or "")
    netloc = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, netloc, path, "", ""))


def _host(name: str) -> str:
    """Return a host name as browsers send it: lower case, A-labels (UTS #46), IPv6 in its short form."""
    if name.startswith("["):
        try:
            return f"[{IPv6Address(name.strip('[]').partition('%')[0])}]"
        except AddressValueError:
            raise ValueError(_("has brackets without a valid IPv6 address")) from None
    try:
        ascii_name = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode()
    except UnicodeError:
        raise ValueError(_("has an invalid host name")) from None
    ascii_name = ascii_name.removesuffix(".")
    if len(ascii_name) > _MAX_NAME or not all(_NAME.fullmatch(label) for label in ascii_name.split(".")):
        raise ValueError(_("has an invalid host name"))
    return ascii_name
