"""Asks nameservers for TXT records with dnspython."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rcode
import dns.resolver
import structlog

from saas_app.config import Nameserver
from saas_app.email_domains.dns_records import TxtAnswer
from saas_app.text.translation import Sentence, _

log = structlog.get_logger(__name__)

_TRY_TIMEOUT: Final = 2.0  # seconds until a nameserver is asked again


async def query_txt(name: str, nameservers: Sequence[Nameserver], timeout: float) -> TxtAnswer:  # noqa: ASYNC109
    """Return the TXT records of an absolute name. ``timeout`` is in seconds, for all attempts together.

    Without ``nameservers``, those of this machine are asked.
    """
    try:
        async with asyncio.timeout(timeout + 1):
            resolver = await asyncio.to_thread(_open, nameservers, timeout)  # may read a file
            absolute = dns.name.from_text(name).concatenate(dns.name.empty)
            found = await resolver.resolve(absolute, "TXT", search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return TxtAnswer()
    except (dns.exception.DNSException, OSError, TimeoutError) as error:
        log.info("a TXT record could not be looked up", name=name, reason=type(error).__name__)
        return TxtAnswer(problem=_explain(error))
    return TxtAnswer(
        frozenset(b"".join(record.strings).decode("ascii", "replace") for record in found.rrset or ())
    )


def _open(nameservers: Sequence[Nameserver], timeout: float) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=not nameservers)
    if nameservers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in nameservers]
    resolver.timeout, resolver.lifetime = _TRY_TIMEOUT, timeout
    return resolver


def _explain(error: Exception) -> Sentence:
    if isinstance(error, dns.resolver.NoResolverConfiguration):
        return _("No nameserver is configured for this installation.")
    if isinstance(error, dns.exception.Timeout | TimeoutError):
        return _("DNS did not respond in time.")
    if isinstance(error, dns.resolver.NoNameservers):
        codes = sorted({dns.rcode.to_text(response.rcode()) for response in _responses(error)})
        if codes:
            return _("DNS returned an error (%(codes)s).", codes=", ".join(codes))
        return _("The nameserver could not be reached.")
    return _("DNS returned a response that could not be read.")


def _responses(error: dns.resolver.NoNameservers) -> list[Any]:
    failures = (getattr(error, "kwargs", None) or {}).get("errors") or []
    return [failure[-1] for failure in failures if failure[-1] is not None]
