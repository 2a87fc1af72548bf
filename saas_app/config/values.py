"""Values of settings that are written as text: rates of requests, and nameservers."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from saas_app.text.translation import _

_LONGEST_WINDOW = 86_400  # seconds
_RATE = re.compile(r"(\d+)\s*(?:/|per)\s*(\d+)?\s*(second|minute|hour|day)s?", re.IGNORECASE | re.ASCII)
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class Rate(NamedTuple):
    """A number of requests in a number of seconds."""

    amount: int
    seconds: int


def read_rate(value: object) -> object:
    """Read a rate such as ``300/minute`` or ``20/5 seconds``. Raises :class:`ValueError`."""
    if not isinstance(value, str):
        return value
    match = _RATE.fullmatch(value.strip())
    if match is None:
        raise ValueError(_("must be a rate such as 300/minute"))
    rate = Rate(int(match[1]), int(match[2] or 1) * _SECONDS[match[3].lower()])
    if rate.amount < 1 or not 1 <= rate.seconds <= _LONGEST_WINDOW:
        raise ValueError(_("must allow at least one request, in a window from one second to one day"))
    return rate


class Nameserver(NamedTuple):
    """A DNS server to use instead of the machine's own: an IP address and a port."""

    address: str
    port: int = 53


def read_nameservers(value: object) -> object:
    """Read nameservers such as ``192.0.2.53, [2001:db8::53]:5353``. Raises :class:`ValueError`."""
    if not isinstance(value, str):
        return value
    return tuple(_read_nameserver(part.strip()) for part in value.split(",") if part.strip())


def _read_nameserver(text: str) -> Nameserver:
    try:
        parts = urlsplit(f"//{text if text.count(':') < 2 or text.startswith('[') else f'[{text}]'}")
        address, port = ip_address(parts.hostname or ""), 53 if parts.port is None else parts.port
    except ValueError:
        raise ValueError(_("must be a list of IP addresses, each with its port if it is not 53")) from None
    if port == 0 or f"{parts.path}{parts.query}{parts.fragment}{parts.username or ''}":
        raise ValueError(_("must be a list of IP addresses, each with its port if it is not 53"))
    return Nameserver(str(address), port)


Nameservers: TypeAlias = Annotated[tuple[Nameserver, ...], NoDecode, BeforeValidator(read_nameservers)]
RateText: TypeAlias = Annotated[Rate, NoDecode, BeforeValidator(read_rate)]
