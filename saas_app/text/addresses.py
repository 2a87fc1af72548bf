"""Email addresses as people type and paste them: read, bounded and compared.

Spellings of one address are equal: composed or decomposed, in any case, with the domain in its own letters or
in A-labels. Look-alikes of an address are rejected: invisible characters, words that mix scripts, letters in
special widths or forms. Pure.
"""

from __future__ import annotations

from typing import Final

import regex

from saas_app.text.cleaning import is_clean
from saas_app.text.domains import NotADomainName, ascii_domain, shown_domain
from saas_app.text.normal import normalize
from saas_app.text.scripts import is_of_one_script
from saas_app.text.visible import has_piled_marks, without_invisible

MAX_LENGTH: Final = 128  # the longest address an account in Logto 1.42 can have
_LONGEST_LOCAL: Final = 64  # RFC 5321 section 4.5.3.1
_ATOM: Final = r"[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+"
_LOCAL: Final = regex.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_PIECE: Final = regex.compile(r'"[^"\n]*"(?=\s*<)|<[^<>\n]*>|[,;\n،؛、，；]|[^,;\n،؛、，；<"]+|.')
_LINE_END: Final = regex.compile(r"[\r\n\v\f\x85\u2028\u2029]+")
_SEPARATORS: Final = frozenset(",;\n،؛、，；")
_SCHEME: Final = "mailto:"
_AFTER_COMMA: Final = "\x00,"  # marks a word that a comma followed, while a text is split


class NotAnAddress(ValueError):
    """The text is not an email address to which an invitation could be sent."""


def read_address(typed: str) -> str:
    """Return an email address as it is stored: in NFC and lower case, the domain in its own letters.

    Raises :class:`NotAnAddress`.
    """
    text = typed.strip()
    local, at, domain = text.rpartition("@")
    if not at or len(text) > MAX_LENGTH or not is_clean(text) or without_invisible(text) != text:
        raise NotAnAddress(typed)
    local = normalize("NFC", local).lower()
    try:
        ascii_form = ascii_domain(domain)
    except NotADomainName:
        raise NotAnAddress(typed) from None
    if not _is_local(local) or domain.endswith(".") or len(f"{local}@{ascii_form}") > MAX_LENGTH:
        raise NotAnAddress(typed)
    return f"{local}@{shown_domain(ascii_form)}"


def address_key(address: str) -> str:
    """Return a key that is equal for all spellings of an address. Other texts are normalized."""
    local, _, domain = address.strip().rpartition("@")
    try:
        domain = ascii_domain(domain)
    except NotADomainName:
        domain = normalize("NFC", domain).lower()
    return f"{normalize('NFC', local).lower()}@{domain}"


def same_address(one: str | None, other: str | None) -> bool:
    """Return whether two texts are spellings of the same address. None equals nothing."""
    return bool(one and other) and address_key(one or "") == address_key(other or "")


def spellings(address: str) -> tuple[str, ...]:
    """Return the spellings of an address, the given one first. Logto 1.42 compares them letter by letter."""
    local, _, domain = address.rpartition("@")
    try:
        ascii_form = ascii_domain(domain)
    except NotADomainName:
        return (address,)
    return tuple(dict.fromkeys((address, f"{local}@{ascii_form}", f"{local}@{shown_domain(ascii_form)}")))


def shown_address(address: str) -> str:
    """Return an address for display. If its domain has letters beyond ASCII, the A-label form follows."""
    domain = address.rpartition("@")[2]
    try:
        ascii_form = ascii_domain(domain)
    except NotADomainName:
        return address
    return address if domain.lower() == ascii_form else f"{address} ({ascii_form})"


def split_addresses(text: str) -> tuple[str, ...]:
    """Return what could be addresses in a text, in order: split at lines, commas, semicolons and spaces.

    Names around them are left out: ``Ada <ada@example.com>``, ``"Lovelace, Ada" <ada@example.com>``.
    """
    found: list[str] = []
    segment = ""
    for piece in [*_PIECE.findall(_LINE_END.sub("\n", text)), "\n"]:
        if piece not in _SEPARATORS:
            segment += piece
            continue
        inside = regex.search(r"<([^<>]*)>\s*$", segment)
        if inside:
            found = _without_surname(found, segment)
            found.append(inside[1])
        else:
            found += _with_separator(segment, piece)
        segment = ""
    bare = (part.removesuffix(_AFTER_COMMA).strip() for part in found)
    return tuple(part[len(_SCHEME) :] if part.lower().startswith(_SCHEME) else part for part in bare if part)


def _with_separator(segment: str, separator: str) -> list[str]:
    words = segment.split()
    return [*words[:-1], words[-1] + _AFTER_COMMA] if words and separator == "," else words


def _without_surname(found: list[str], segment: str) -> list[str]:
    """Drop the word before a comma, a part of the name: ``Lovelace, Ada <ada@example.com>``."""
    while found and found[-1].endswith(_AFTER_COMMA) and "@" not in found[-1] and segment.strip()[0] != "<":
        found.pop()
    return found


def _is_local(local: str) -> bool:
    return (
        len(local.encode()) <= _LONGEST_LOCAL
        and _LOCAL.fullmatch(local) is not None
        and normalize("NFKC", local) == local
        and is_of_one_script(local)
        and not has_piled_marks(local)
    )
