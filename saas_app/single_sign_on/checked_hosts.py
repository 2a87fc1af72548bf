"""Hosts that an inspection may connect to: names are looked up once, and every address must be public.

Whoever types an issuer chooses the host that this server connects to. Without the check, they could reach the
services of its own network and of its cloud (server-side request forgery). A name that shows a public address
to the check and a private one to the connection would get past it, so the connection uses the checked
addresses and asks nobody again.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from typing import Final, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

LookUp: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the IP addresses of a host as text. Raises :class:`OSError` if there are none."""

_NOT_PUBLIC: Final = tuple(
    map(
        IPv4Network,
        """
        0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
        192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
        168.63.129.16/32
        """.split(),  # noqa: SIM905 - IANA's special-purpose registry; the last is the agent of Azure's hosts
    )
)
_UNICAST: Final = IPv6Network("2000::/3")  # IANA has assigned no other public addresses
_NOT_PUBLIC_IN_IT: Final = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)  # protocols such as Teredo, documentation, and 6to4, which leads to any IPv4 address


class IssuerFault(StrEnum):
    """What is wrong with an issuer, for the log."""

    ADDRESS = "not an issuer"
    UNKNOWN_HOST = "unknown host"
    PRIVATE_HOST = "private host"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    TIMEOUT = "timeout"
    BUSY = "busy"
    REDIRECT = "redirect"
    STATUS = "status"
    TOO_LARGE = "too large"
    UNREADABLE = "unreadable"
    OTHER_ISSUER = "other issuer"
    ENDPOINT = "endpoint"
    NO_CODE_FLOW = "no code flow"
    NO_ALGORITHM = "no algorithm"
    NO_KEY = "no key"


class IssuerRefused(Exception):
    """The provider cannot be used. ``reason`` tells the admin what to do, without what the provider sent.

    ``is_after_code``: a code had been sent to the provider that came from a browser, and may be anything.
    """

    def __init__(self, kind: IssuerFault, reason: Sentence) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.is_after_code = False


_THREADS: Final = ThreadPoolExecutor(64, thread_name_prefix="providers-hosts")
"""A nameserver that does not answer holds a thread for half a minute, and may belong to whoever chose the
host. The loop's own threads also look up Logto and the database, so they must not be held.
"""


async def look_up(host: str) -> list[str]:
    """Return the addresses of a host as this machine finds them. Raises :class:`OSError`."""
    ask = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_THREADS, ask)
    return list(dict.fromkeys(str(sockaddr[0]) for *_kind, sockaddr in found))


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to a host on the internet, and to nothing closer or special.

    Addresses that stand for an IPv4 address (mapped, NAT64, 6to4) are not public, whatever they stand for.
    """
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return not any(parsed in network for network in _NOT_PUBLIC)
    return parsed in _UNICAST and not any(parsed in network for network in _NOT_PUBLIC_IN_IT)


class CheckedHosts(AbstractResolver):
    """The hosts of one inspection, and aiohttp's resolver for its connections.

    aiohttp asks no resolver about a host that is an IP address, so every host has to be admitted before a
    request goes there.
    """

    def __init__(self, look_up: LookUp, *, allows_private: bool) -> None:
        self._look_up = look_up
        self._allows_private = allows_private
        self._addresses: dict[str, Sequence[str]] = {}

    async def admit(self, host: str) -> None:
        """Look a host up, unless that has been done. Raises :class:`IssuerRefused` if it is not public."""
        if host in self._addresses:
            return
        try:
            addresses = await self._look_up(host)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses:
            raise IssuerRefused(
                IssuerFault.UNKNOWN_HOST,
                _(
                    "The host %(host)s could not be found. Check its spelling, or try again later.",
                    host=isolated(host),
                ),
            )
        if not self._allows_private and not all(map(is_public, addresses)):
            raise IssuerRefused(
                IssuerFault.PRIVATE_HOST,
                _(
                    "The host %(host)s is in a private network. Only providers on the internet can be used.",
                    host=isolated(host),
                ),
            )
        self._addresses[host] = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the checked addresses. Raises :class:`OSError` for a host that was not admitted."""
        addresses = self._addresses.get(host.lower())
        if addresses is None:
            raise OSError(f"{host} was not checked")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Do nothing: there is nothing open."""
