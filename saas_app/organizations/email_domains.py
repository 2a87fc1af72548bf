"""E-mail domains whose people join an organization by themselves: which are acceptable. Pure."""

from __future__ import annotations

import re
from typing import Final

DOMAIN_LENGTH: Final = 128  # Logto 1.42 keeps no more

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

_PUBLIC: Final = frozenset(
    """
    163.com 126.com aim.com aol.com att.net bluewin.ch btinternet.com comcast.net cox.net daum.net duck.com
    email.com fastmail.com fastmail.fm foxmail.com free.fr freenet.de gmail.com googlemail.com hanmail.net
    hey.com hushmail.com icloud.com inbox.ru interia.pl kakao.com laposte.net libero.it list.ru mac.com
    mail.com mail.ru mailbox.org me.com msn.com nate.com naver.com o2.pl onet.pl orange.fr outlook.com pm.me
    posteo.de proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com
    sbcglobal.net seznam.cz sfr.fr sina.com sohu.com t-online.de tuta.com tuta.io tutanota.com tutanota.de
    verizon.net virgilio.it wanadoo.fr web.de wp.pl xs4all.nl yeah.net ymail.com zohomail.com
    """.split()  # noqa: SIM905 - a list that people read and extend
)
_PUBLIC_EVERYWHERE: Final = frozenset({"gmx", "hotmail", "live", "outlook", "yahoo", "yandex"})
_SECOND_LEVEL: Final = frozenset({"co", "com"})


class NotADomain(ValueError):
    """Why something cannot be on the list, in words for who typed it."""


def read_domain(typed: str) -> str:
    """The domain, in lower case as Logto compares it. Raises :class:`NotADomain`."""
    domain = typed.strip().removeprefix("@").removesuffix(".").lower()
    if not domain:
        raise NotADomain("Enter a domain, like example.com.")
    if "@" in domain:
        raise NotADomain("Enter only what stands behind the @, like example.com.")
    if len(domain) > DOMAIN_LENGTH:
        raise NotADomain(f"Use at most {DOMAIN_LENGTH} characters.")
    labels = domain.split(".")
    is_name = len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)
    if not is_name or labels[-1].isdecimal():
        raise NotADomain("This is not a domain. Enter one like example.com, in ASCII characters.")
    if is_public(domain):
        raise NotADomain(
            f"Anybody can get an address at {domain}, so anybody could join. Use a domain that only your "
            "organization gives addresses of."
        )
    return domain


def is_public(domain: str) -> bool:
    """Whether a provider gives addresses of this domain to everybody who asks."""
    if domain in _PUBLIC:
        return True
    name, *rest = domain.split(".")
    return name in _PUBLIC_EVERYWHERE and (len(rest) == 1 or (len(rest) == 2 and rest[0] in _SECOND_LEVEL))
