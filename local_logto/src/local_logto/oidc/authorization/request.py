"""The authorization request: what it may ask for, checked in Logto's order.

Sources: RFC 6749 §4.1.1, RFC 7636 (PKCE), RFC 8707 (resources), OpenID Connect Core §3.1.2.

The signed-in person plays no role here. ``prompts`` decides which pages they see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from local_logto.context import current_store
from local_logto.errors import OidcError, invalid_request
from local_logto.oidc.authorization.first_screen import EXTRA_PARAMS
from local_logto.oidc.clients import Client, find_client
from local_logto.oidc.request_params import Params
from local_logto.oidc.resources import find_default_resource, get_resource
from local_logto.oidc.scopes import oidc_only, split_scope

SINGLE_PARAMS: Final = (
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "code_challenge",
    "code_challenge_method",
    "id_token_hint",
    "acr_values",
    "display",
    "request",
    "request_uri",
    "registration",
    *EXTRA_PARAMS,
)
RESPONSE_TYPES: Final = ("code id_token", "code", "id_token", "none")
"""The types that the server knows. Applications may use only ``code``."""

RESPONSE_MODES: Final = frozenset({"query", "fragment", "form_post"})
# Parameters that only make sense in a browser
_NOT_OF_DEVICES: Final = frozenset(
    {
        *("response_type", "response_mode", "redirect_uri", "state", "prompt"),
        *("code_challenge", "code_challenge_method"),
    }
)
_PROMPTS: Final = frozenset({"none", "login", "consent"})
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
_CHALLENGE: Final = re.compile(r"[\w.~-]*", re.ASCII)
_NEED_OPENID: Final = ("acr_values", "id_token_hint", "max_age", "nonce")


@dataclass(frozen=True)
class AuthorizationRequest:
    """A request that passed every check. ``max_age`` is in seconds; an interaction stores ``params``."""

    client: Client
    redirect_uri: str
    response_type: str
    response_mode: str
    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    prompts: frozenset[str]
    max_age: int | None
    params: Mapping[str, Any]

    @property
    def nonce(self) -> str | None:
        return self.params.get("nonce")

    @property
    def code_challenge(self) -> str | None:
        return self.params.get("code_challenge")

    @property
    def id_token_hint(self) -> str | None:
        return self.params.get("id_token_hint")

    @property
    def wants_auth_time(self) -> bool:
        """Whether the ID token must say when the person signed in."""
        return self.max_age is not None or "login" in self.prompts


def resolve_response_mode(response_type: str | None) -> str:
    """Return the default response mode: tokens never go into a query."""
    return "fragment" if response_type and "token" in response_type else "query"


def check(params: Params) -> AuthorizationRequest:
    """Return the checked request. Raises the ``OidcError`` that Logto raises first."""
    params.reject_duplicates(among=SINGLE_PARAMS)
    _reject_unsupported(params)
    params.require("client_id")
    client_id = params.get("client_id") or ""
    client = find_client(client_id)
    if client is None:
        raise OidcError(400, "invalid_client", f"invalid client {client_id}")
    plain = {name: value for name in SINGLE_PARAMS if (value := params.get(name)) is not None}
    if client.only_redirect_uri is not None:
        plain.setdefault("redirect_uri", client.only_redirect_uri)
    _check_response(client, plain)
    _check_prompt(plain)
    plain["scope"] = " ".join(_checked_scopes(client, plain))
    _check_openid(plain)
    if not client.allows_redirect(plain["redirect_uri"]):
        raise invalid_redirect_uri()
    _check_pkce(client, plain)
    with current_store().begin() as connection:
        resources = _checked_resources(connection, params.all("resource"))
    _check_max_age(plain)
    return from_interaction(client, {**plain, "resource": resources})


def check_of_device(client: Client, params: Params) -> Mapping[str, Any]:
    """Return the parameters of a device's request to store. ``offline_access`` needs no prompt here."""
    known = [name for name in SINGLE_PARAMS if name not in _NOT_OF_DEVICES]
    params.reject_duplicates(among=known)
    _reject_unsupported(params)
    plain = {name: value for name in known if (value := params.get(name)) is not None}
    plain |= {"client_id": client.id, "scope": " ".join(_allowed_scopes(client, plain))}
    _check_openid(plain)
    with current_store().begin() as connection:
        resources = _checked_resources(connection, params.all("resource"))
    _check_max_age(plain)
    return {**plain, "resource": resources}


def from_interaction(client: Client, params: Mapping[str, Any]) -> AuthorizationRequest:
    """Restore the request from the parameters that an interaction stored."""
    resources = tuple(params.get("resource") or ())
    scopes = split_scope(params.get("scope"))
    max_age = params.get("max_age")
    response_type = str(params.get("response_type", ""))
    return AuthorizationRequest(
        client=client,
        redirect_uri=str(params.get("redirect_uri", "")),
        response_type=response_type,
        response_mode=params.get("response_mode") or resolve_response_mode(response_type),
        # Without a resource, only OIDC scopes can be granted and reach the refresh token.
        scopes=tuple(scopes if resources else oidc_only(scopes)),
        resources=resources,
        prompts=frozenset(split_scope(params.get("prompt"))),
        max_age=None if max_age is None else int(max_age),
        params=params,
    )


def invalid_redirect_uri() -> OidcError:
    return OidcError(
        400,
        "invalid_redirect_uri",
        "redirect_uri did not match any of the client's registered redirect_uris",
    )


def _reject_unsupported(params: Params) -> None:
    for name in ("request", "request_uri", "registration"):
        if params.get(name) is not None:
            raise OidcError(400, f"{name}_not_supported", f"{name} parameter provided but not supported")


def _check_response(client: Client, plain: dict[str, str]) -> None:
    mode, response_type = plain.get("response_mode"), plain.get("response_type")
    if mode is not None and mode not in RESPONSE_MODES:
        raise OidcError(400, "unsupported_response_mode", "unsupported response_mode requested")
    if mode == "query" and resolve_response_mode(response_type) == "fragment":
        raise invalid_request("requested response_mode is not allowed for the requested response_type")
    if response_type is None:
        raise invalid_request("missing required parameter 'response_type'")
    plain["response_type"] = " ".join(sorted(split_scope(response_type)))
    if plain["response_type"] not in RESPONSE_TYPES:
        raise OidcError(400, "unsupported_response_type", "unsupported response_type requested")
    if plain["response_type"] != "code" or not client.allows_grant("authorization_code"):
        raise invalid_request("requested response_type is not allowed for this client")
    if "redirect_uri" not in plain:
        raise invalid_request("missing required parameter 'redirect_uri'")


def _check_prompt(plain: Mapping[str, str]) -> None:
    prompts = set(plain.get("prompt", "").split(" ")) if "prompt" in plain else set()
    if not prompts <= _PROMPTS:
        raise invalid_request("unsupported prompt value requested")
    if "none" in prompts and len(prompts) > 1:
        raise invalid_request("prompt none must only be used alone")


def _checked_scopes(client: Client, plain: Mapping[str, str]) -> list[str]:
    scopes = _allowed_scopes(client, plain)
    consents = "consent" in plain.get("prompt", "").split(" ") and client.allows_grant("refresh_token")
    return [scope for scope in scopes if scope != "offline_access" or consents]


def _allowed_scopes(client: Client, plain: Mapping[str, str]) -> list[str]:
    if "scope" in plain and not _SCOPE.fullmatch(plain["scope"]):
        raise OidcError(400, "invalid_scope", "scope contains invalid characters")
    scopes = split_scope(plain.get("scope"))
    refused = next((scope for scope in oidc_only(scopes) if not client.allows_scope(scope)), None)
    if refused is not None:
        raise OidcError(400, "invalid_scope", "requested scope is not allowed", scope=refused)
    return scopes


def _check_openid(plain: Mapping[str, str]) -> None:
    if "openid" in plain["scope"].split(" "):
        return
    for name in _NEED_OPENID:
        if name in plain:
            raise invalid_request(f"openid scope must be requested when using the {name} parameter")


def _check_pkce(client: Client, plain: Mapping[str, str]) -> None:
    challenge, method = plain.get("code_challenge"), plain.get("code_challenge_method")
    if challenge is not None and method is None:
        raise invalid_request("code_challenge_method must be provided")
    if method is not None and method != "S256":
        raise invalid_request("not supported value of code_challenge_method")
    if method is not None and challenge is None:
        raise invalid_request("code_challenge must be provided with code_challenge_method")
    if challenge is None and client.is_public:
        raise invalid_request("Authorization Server policy requires PKCE to be used for this request")
    if challenge is not None:
        check_pkce_format(challenge, "code_challenge")


def check_pkce_format(value: str, name: str) -> None:
    """Raise ``invalid_request`` unless the value has 43 to 128 unreserved characters (RFC 7636 §4.1)."""
    if len(value) < 43:
        raise invalid_request(f"{name} must be a string with a minimum length of 43 characters")
    if len(value) > 128:
        raise invalid_request(f"{name} must be a string with a maximum length of 128 characters")
    if not _CHALLENGE.fullmatch(value):
        raise invalid_request(f"{name} contains invalid characters")


def _checked_resources(connection: sa.Connection, given: list[str]) -> list[str]:
    """Return all requested resources, repeated or separated by commas, or the tenant's default."""
    wanted = [part for value in given for part in value.split(",") if part]
    if not wanted:
        default = find_default_resource(connection)
        wanted = [] if default is None else [default]
    for indicator in wanted:
        get_resource(connection, indicator)
    return list(dict.fromkeys(wanted))


def _check_max_age(plain: dict[str, str]) -> None:
    max_age = plain.get("max_age")
    if max_age is None:
        return
    if not max_age.isascii() or not max_age.isdigit():
        raise invalid_request("invalid max_age parameter value")
    if int(max_age) == 0:
        del plain["max_age"]
        plain["prompt"] = " ".join(dict.fromkeys([*split_scope(plain.get("prompt")), "login"]))
