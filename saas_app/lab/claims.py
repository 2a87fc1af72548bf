"""What each field of a token means, in a sentence, and how two tokens differ field by field. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from saas_app.text.translation import Sentence, _

Meaning = tuple[Sentence, Sentence]
"""What a field is called in plain words, and what it means."""

HEADER: Final[Mapping[str, Meaning]] = {
    "alg": (
        _("Signature algorithm"),
        _(
            "How the token was signed. Logto uses ES384, a signature with an elliptic curve. A recipient "
            "never trusts this field: it uses the algorithm that belongs to the key."
        ),
    ),
    "typ": (
        _("Type"),
        _(
            "What kind of token this is. at+jwt stands for an access token. ID tokens have no type, so an "
            "API that checks it cannot mistake one for the other."
        ),
    ),
    "kid": (
        _("Key id"),
        _("Which of Logto’s public keys proves the signature. Logto publishes its keys at a fixed address."),
    ),
}
"""The fields of a token's header that Logto 1.42 sends."""

CLAIMS: Final[Mapping[str, Meaning]] = {
    "iss": (
        _("Issuer"),
        _("Who issued and signed the token: Logto. A token of any other issuer is rejected."),
    ),
    "sub": (
        _("Subject"),
        _(
            "Whom the token speaks about: the id of a person at Logto. In a token of a machine, the id of "
            "the machine."
        ),
    ),
    "aud": (
        _("Audience"),
        _(
            "Whom the token is meant for. A recipient accepts only tokens in which it finds itself here. In "
            "an organization token, it is an organization; in an API-resource token, an API; in an ID token, "
            "the application that signed the person in."
        ),
    ),
    "client_id": (
        _("Application"),
        _("The application that asked Logto for the token."),
    ),
    "organization_id": (
        _("Organization"),
        _(
            "The organization that the scopes of an API-resource token count in. An organization token does "
            "not have this claim, because its audience already names the organization."
        ),
    ),
    "scope": (
        _("Scopes"),
        _(
            "What the token permits: a list of permissions. If it is empty, the token is genuine and permits "
            "nothing. Roles are not in it. Logto translates them into permissions when it issues the token."
        ),
    ),
    "iat": (
        _("Issued at"),
        _(
            "When Logto issued the token, in seconds since 1970. A token says what was true at this moment. "
            "Later changes are not in it."
        ),
    ),
    "exp": (
        _("Expires at"),
        _(
            "From when on everybody rejects the token, in seconds since 1970. Nobody can call it back "
            "before. A recipient that checks only the signature accepts it until then."
        ),
    ),
    "nbf": (
        _("Not before"),
        _("From when on the token may be used, in seconds since 1970."),
    ),
    "jti": (
        _("Token id"),
        _("A name of this one token, different in each. Recipients use it to recognize a token."),
    ),
    "nonce": (
        _("Nonce"),
        _(
            "A random value that the application sent with the sign-in. It proves that this ID token answers "
            "this sign-in and was not replayed."
        ),
    ),
    "sid": (
        _("Session at Logto"),
        _("The session at Logto in which the person signed in. Logto names it again when that session ends."),
    ),
    "auth_time": (
        _("Signed in at"),
        _(
            "When the person last proved who they are, in seconds since 1970. Logto says so only if the "
            "sign-in asked for it."
        ),
    ),
    "act": (
        _("Acting party"),
        _("Who really acts, if somebody acts for the person that the token speaks about."),
    ),
    "name": (_("Name"), _("The person’s display name. It may be empty.")),
    "given_name": (_("Given name"), _("The person’s given name, if it is set at Logto.")),
    "family_name": (_("Family name"), _("The person’s family name, if it is set at Logto.")),
    "middle_name": (_("Middle name"), _("The person’s middle name, if it is set at Logto.")),
    "nickname": (_("Nickname"), _("The person’s nickname, if it is set at Logto.")),
    "preferred_username": (
        _("Preferred username"),
        _("The name that the person wants to be called by. If none is set, it is the username."),
    ),
    "username": (_("Username"), _("The name that the person signs in with. It may be empty.")),
    "picture": (_("Picture"), _("The address of the person’s picture. It may be empty.")),
    "profile": (_("Profile page"), _("The address of a page about the person, if it is set at Logto.")),
    "website": (_("Website"), _("The address of the person’s website, if it is set at Logto.")),
    "gender": (_("Gender"), _("The person’s gender, if it is set at Logto.")),
    "birthdate": (_("Birthdate"), _("The person’s birthdate, if it is set at Logto.")),
    "zoneinfo": (_("Time zone"), _("The person’s time zone, if it is set at Logto.")),
    "locale": (_("Language"), _("The person’s language and region, if they are set at Logto.")),
    "address": (_("Postal address"), _("The person’s postal address, if it is set at Logto.")),
    "email": (_("Email address"), _("The person’s email address. It may be empty.")),
    "email_verified": (
        _("Email verified"),
        _("Whether the email address counts as verified. At Logto, each address of an account does."),
    ),
    "phone_number": (_("Phone number"), _("The person’s phone number, with the country code and without +.")),
    "phone_number_verified": (
        _("Phone verified"),
        _("Whether the phone number counts as verified. At Logto, each number of an account does."),
    ),
    "created_at": (
        _("Account created"),
        _("When the account was created. Unlike other times in a token, it is in milliseconds."),
    ),
    "updated_at": (
        _("Account changed"),
        _("When the account was last changed. Unlike other times in a token, it is in milliseconds."),
    ),
    "organizations": (
        _("Organizations"),
        _(
            "The organizations that the person belongs to, by id. An ID token only describes the person. It "
            "opens nothing: each organization takes a token of its own."
        ),
    ),
    "organization_roles": (
        _("Roles in organizations"),
        _(
            "The person’s role names, each with the id of its organization before the colon. They are for "
            "display. What a request may do is decided by the scopes of an access token."
        ),
    ),
    "organization_data": (
        _("Names of organizations"),
        _("The organizations with their names and descriptions, if the operator has switched this on."),
    ),
    "roles": (
        _("Roles in the tenant"),
        _("Role names that count in all of Logto and in no organization. Workroom does not use them."),
    ),
    "custom_data": (
        _("Custom data"),
        _("Data that the operator stored with the account, if the operator has switched this on."),
    ),
    "identities": (
        _("Linked accounts"),
        _("Accounts elsewhere, such as Naver, that the person signs in with."),
    ),
    "sso_identities": (
        _("Enterprise accounts"),
        _("Accounts of the person’s company, with single sign-on."),
    ),
}
"""The claims that Logto 1.42 puts into ID tokens and access tokens, in the order in which pages show them."""

EVERY_TIME: Final = frozenset({"iat", "exp", "jti", "nonce"})
"""Claims that differ between any two tokens, so that a difference says nothing about access."""

LISTS: Final = frozenset({"scope"})
"""Claims that are a list, separated by spaces."""

SECONDS: Final = frozenset({"iat", "exp", "nbf", "auth_time"})
MILLISECONDS: Final = frozenset({"created_at", "updated_at"})

_UNKNOWN_HEADER: Final[Meaning] = (
    _("Other field"),
    _("Logto 1.42 does not send this field. Recipients ignore what they do not know."),
)
_CUSTOM: Final[Meaning] = (
    _("Custom claim"),
    _(
        "Logto 1.42 does not send this claim by itself. The operator has probably added it with a script. "
        "Workroom ignores it, so it changes nothing about access."
    ),
)
_CLAIM_ORDER: Final = {name: place for place, name in enumerate(CLAIMS)}
_HEADER_ORDER: Final = {name: place for place, name in enumerate(HEADER)}


def meaning_of_header(name: str) -> Meaning:
    """Return what a field of a token's header is called in plain words, and what it means."""
    return HEADER.get(name, _UNKNOWN_HEADER)


def meaning_of_claim(name: str) -> Meaning:
    """Return what a claim is called in plain words, and what it means."""
    return CLAIMS.get(name, _CUSTOM)


def header_in_order(*headers: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of the fields of some headers, the known ones first."""
    return _in_order(_HEADER_ORDER, headers)


def claims_in_order(*claims: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of the claims of some tokens, the known ones first."""
    return _in_order(_CLAIM_ORDER, claims)


def _in_order(order: Mapping[str, int], parts: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    names = {name for part in parts for name in part}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))
