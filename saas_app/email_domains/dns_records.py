"""Looks up TXT records, within a time limit and without blocking, and tells "no record" from "no answer"."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rcode
import dns.resolver
import structlog

from saas_app.config import Nameserver

log = structlog.get_logger(__name__)

_LOOK_UP_TIMEOUT: Final = 5.0  # seconds, for all nameservers and attempts together
_TRY_TIMEOUT: Final = 2.0  # seconds until a nameserver is asked again


@dataclass(frozen=True, slots=True)
class TxtAnswer:
    """The TXT records of a name. ``problem`` says why the lookup failed, if it did."""

    values: frozenset[str] = frozenset()
    problem: str = ""


class TxtResolver:
    """Looks up TXT records at the given nameservers, or at those of this machine."""

    def __init__(self, nameservers: Sequence[Nameserver] = (), *, timeout: float = _LOOK_UP_TIMEOUT) -> None:
        self._nameservers = tuple(nameservers)
        self._timeout = timeout

    async def look_up(self, name: str) -> TxtAnswer:
        """Return the TXT records of an absolute name. The strings of each are joined (RFC 7208 §3.3)."""
        try:
            async with asyncio.timeout(self._timeout + 1):
                found = await self._resolve(name)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return TxtAnswer()
        except (dns.exception.DNSException, OSError, TimeoutError) as error:
            log.info("a TXT record could not be looked up", name=name, reason=type(error).__name__)
            return TxtAnswer(problem=_explain(error))
        return TxtAnswer(
            frozenset(b"".join(record.strings).decode("ascii", "replace") for record in found.rrset or ())
        )

    async def _resolve(self, name: str) -> dns.resolver.Answer:
        resolver = await asyncio.to_thread(self._open)  # reads a file if no nameservers are given
        return await resolver.resolve(
            dns.name.from_text(name).concatenate(dns.name.empty), "TXT", search=False
        )

    def _open(self) -> dns.asyncresolver.Resolver:
        resolver = dns.asyncresolver.Resolver(configure=not self._nameservers)
        if self._nameservers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(address, port) for address, port in self._nameservers
            ]
        resolver.timeout, resolver.lifetime = _TRY_TIMEOUT, self._timeout
        return resolver


def _explain(error: Exception) -> str:
    if isinstance(error, dns.resolver.NoResolverConfiguration):
        return "No nameserver is configured for this installation."
    if isinstance(error, dns.exception.Timeout | TimeoutError):
        return "DNS did not respond in time."
    if isinstance(error, dns.resolver.NoNameservers):
        codes = sorted({dns.rcode.to_text(response.rcode()) for response in _responses(error)})
        if codes:
            return f"DNS returned an error ({', '.join(codes)})."
        return "The nameserver could not be reached."
    return "DNS returned a response that could not be read."


def _responses(error: dns.resolver.NoNameservers) -> list[Any]:
    failures = (getattr(error, "kwargs", None) or {}).get("errors") or []
    return [failure[-1] for failure in failures if failure[-1] is not None]
