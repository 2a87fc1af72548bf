"""What we say of a person to Logto, of all that the company's provider said. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from saas_app.email_domains.names import find_ascii_domain
from saas_app.single_sign_on.groups import groups_in
from saas_app.single_sign_on.values import GROUPS_CLAIM
from saas_app.text.cleaning import clean_line
from saas_app.text.domains import shown_domain

_ADDRESS_LENGTH: Final = 128  # characters, of an address at Logto 1.42
_NAME_READ: Final = 1000  # characters, of which some may be invisible
_NAME_LENGTH: Final = 128  # characters, of a name at Logto 1.42
_PICTURE_LENGTH: Final = 2048  # characters


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """Return the address that the provider calls verified, or None. Some providers write ``"true"``.

    It has no invisible characters, with which one account would look like another. Its domain is written in
    one way, too: Logto 1.42 lets PostgreSQL compare addresses, for which a capital I with a dot is an i. To
    the DNS it is another letter, and so another domain.
    """
    email, is_verified = claims.get("email"), claims.get("email_verified")
    if not isinstance(email, str) or not (is_verified is True or is_verified == "true"):
        return None
    if len(email) > _ADDRESS_LENGTH:  # and cleaning a long text takes long
        return None
    local, at, domain = clean_line(email).removesuffix(".").rpartition("@")
    return f"{local}{at}{_as_chosen(domain)}" or None


def claims_for_logto(claims: Mapping[str, Any], *, group_claim: str) -> dict[str, Any]:
    """Return a person's name, picture and groups. ``group_claim`` is the provider's name for these, or ""."""
    said: dict[str, Any] = {}
    name, picture = claims.get("name"), claims.get("picture")
    if isinstance(name, str) and (cleaned := clean_line(name[:_NAME_READ])[:_NAME_LENGTH].strip()):
        said["name"] = cleaned
    if isinstance(picture, str) and _is_shown(picture):
        said["picture"] = picture
    if group_claim and group_claim in claims:
        said[GROUPS_CLAIM] = sorted(groups_in(claims[group_claim]))
    return said


def _as_chosen(domain: str) -> str:
    """Return a domain in lower case. One that is not in ASCII has the letters that its owner chose."""
    if domain.isascii():
        return domain.lower()
    known = find_ascii_domain(domain)
    return domain if known is None else shown_domain(known)


def _is_shown(picture: str) -> bool:
    try:
        return len(picture) <= _PICTURE_LENGTH and urlsplit(picture).scheme == "https"
    except ValueError:
        return False
