"""Addresses of pictures, which browsers of other people load. This server never fetches one.

An address must be public: it names a host of the internet by HTTPS. Numbers are rejected in every spelling,
because some of them point into the reader's own network. A name may still resolve to a private address; what
a page may do with the response is nothing, because it is only shown as a picture, without a referrer.

A ``data:`` URL of a picture (RFC 2397) is the picture itself. Nobody fetches anything, and a browser runs no
script of a picture.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import regex

from saas_app.text.domains import is_private_name
from saas_app.text.translation import Sentence, _

LONGEST: Final = 2048
_NO_ADDRESS: Final = _("Enter the whole address of a picture, such as https://example.com/me.png.")

_HOST: Final = regex.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})"
)
_ITSELF: Final = regex.compile(
    r"data:image/(?:gif|jpeg|png|svg\+xml|webp)(?:;base64)?,[A-Za-z0-9%+/=._~!$'()*,;:@-]+"
)


class NotAPicture(ValueError):
    """The address cannot be the one of a picture that everybody may see."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(reason)
        self.reason = reason


def read_picture(text: str) -> str:
    """Return the address of a picture, checked. Raises :class:`NotAPicture`."""
    if len(text) > LONGEST:
        raise NotAPicture(_("Use an address with at most %(num)s characters.", num=LONGEST))
    if _ITSELF.fullmatch(text):
        return text
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise NotAPicture(_NO_ADDRESS) from None
    if parts.scheme != "https":
        raise NotAPicture(_("The address must start with https://."))
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text or not host:
        raise NotAPicture(_NO_ADDRESS)
    if parts.username is not None or parts.password is not None or port not in (None, 443):
        raise NotAPicture(_("The address must not contain a user name, a password or a port."))
    if not _HOST.fullmatch(host) or is_private_name(host):
        raise NotAPicture(_("The address must name a host on the internet, not one in a private network."))
    return text


@lru_cache(maxsize=4096)
def shown_picture(address: str | None) -> str | None:
    """Return the address if pages may show it. Logto also stores pictures that were set elsewhere."""
    try:
        return read_picture(address) if address else None
    except NotAPicture:
        return None
