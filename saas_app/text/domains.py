"""Domain names: the form in which they are stored and compared, and the form that people read.

An internationalized domain is written in many ways: ``MÜLLER.example``, composed or decomposed,
``müller。example``, ``xn--mller-kva.example``. They are one domain (IDNA 2008, UTS #46), and its A-labels, in
ASCII, are what the DNS knows.
"""

from __future__ import annotations

from typing import Final

import idna

from saas_app.text.scripts import is_of_one_script

_LONGEST_TYPED: Final = 1000  # characters; a name has at most 253 in ASCII
_NOT_IN_PUBLIC_DNS: Final = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "arpa"}
    | {"test", "invalid", "onion"}
)


class NotADomainName(ValueError):
    """The text is not a domain name."""


def ascii_domain(typed: str) -> str:
    """Return the A-label form of a domain, the same for all spellings: lower-case ASCII, no final dot.

    Raises :class:`NotADomainName` for text that is not valid in the DNS, for a single label, for an IP
    address, and for a label that mixes scripts.
    """
    if len(typed) > _LONGEST_TYPED:
        raise NotADomainName("too long")
    try:
        domain = idna.encode(typed.strip(), uts46=True, std3_rules=True).decode().lower().removesuffix(".")
    except (UnicodeError, ValueError, IndexError):  # idna's own errors are UnicodeErrors
        raise NotADomainName("not a domain name") from None
    labels = domain.split(".")
    if len(labels) == 1 or labels[-1].isdecimal():
        raise NotADomainName("not a domain name")
    if not all(map(is_of_one_script, shown_domain(domain).split("."))):
        raise NotADomainName("mixes scripts")
    return domain


def shown_domain(domain: str) -> str:
    """Return a domain in the letters its owner chose (U-labels), or unchanged if it has none."""
    try:
        return idna.decode(domain)
    except (UnicodeError, ValueError, IndexError):
        return domain


def is_private_name(host: str) -> bool:
    """Return whether a host name in lower case ends as names of private networks do: ``wiki.internal``."""
    return host.rpartition(".")[2] in _NOT_IN_PUBLIC_DNS
