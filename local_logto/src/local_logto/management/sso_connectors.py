"""``/sso-connectors``: the customers' identity providers. ``/sso-connector-providers`` lists their kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.connectors.enterprise import sso_connectors
from local_logto.connectors.openid import OpenIdProvider, ProviderFailure, checked_config, find_provider
from local_logto.connectors.sso_providers import LOGO, OIDC, SSO_PROVIDERS
from local_logto.context import current_settings, current_store
from local_logto.errors import RequestError, not_implemented
from local_logto.management import entities
from local_logto.management.entities import Entity
from local_logto.management.guard import read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.rows import delete_row, get_row, insert_row, to_columns, update_row
from local_logto.refusals import refusal
from local_logto.responses import json_response, no_content
from local_logto.store import new_id, now_ms
from local_logto.values import AnyObject, Flag, ListOf, Shape, Text

_NAME: Final = Text(min=1, max=128)
_VALUES: Final = Shape(
    optional={
        "config": AnyObject(),
        "domains": ListOf(Text()),
        "branding": Shape(optional=dict.fromkeys(("displayName", "logo", "darkLogo"), Text())),
        "syncProfile": Flag(),
        "enableTokenStorage": Flag(),
    }
)
_NEW: Final = Shape({"providerName": _NAME, "connectorName": _NAME}, _VALUES.optional)
_CHANGES: Final = Shape(optional={"connectorName": _NAME, **_VALUES.optional})
_PUBLIC_DOMAINS: Final = frozenset(
    {
        *("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "live.com", "icloud.com", "aol.com"),
        *("yandex.com", "mail.com", "protonmail.com", "yanex.com", "gmx.com", "mail.ru", "zoho.com"),
        *("qq.com", "163.com", "126.com", "sina.com", "sohu.com"),
    }
)

blueprint = Blueprint("sso_connectors", __name__)


@blueprint.get("/sso-connector-providers")
async def list_providers() -> Response:
    return json_response(
        [
            {
                "providerName": kind.id,
                "providerType": kind.protocol,
                "logo": LOGO,
                "logoDark": LOGO,
                "description": kind.description,
                "name": kind.name,
            }
            for kind in SSO_PROVIDERS
        ]
    )


@blueprint.get("/sso-connectors")
async def list_connectors() -> Response:
    paging = read_paging(is_optional=True)
    query = sa.select(sso_connectors).order_by(sso_connectors.c.created_at, sso_connectors.c.id)
    with current_store().begin() as connection:
        page = read_page(connection, query, paging)
    return list_response(await asyncio.gather(*map(_with_metadata, page.rows)), page)


@blueprint.post("/sso-connectors")
async def create_connector() -> Response:
    """Create a connector. Its issuer must publish its metadata at once."""
    body = await read_body(_NEW)
    kind = body["providerName"]
    if kind not in {known.id for known in SSO_PROVIDERS}:
        raise RequestError(
            422, "connector.not_found", f"Cannot find any available connector for type: {kind}."
        )
    if kind != OIDC:
        raise not_implemented(f"enterprise connectors other than {OIDC}")
    values = to_columns(await _checked(body, connector_id=""))
    with current_store().begin() as connection:
        row = insert_row(connection, sso_connectors, {"id": new_id(12), "created_at": now_ms(), **values})
    return json_response(entities.sso_connector(row))


@blueprint.get("/sso-connectors/<connector_id>")
async def get_connector(connector_id: str) -> Response:
    return json_response(await _with_metadata(_get(connector_id)))


@blueprint.patch("/sso-connectors/<connector_id>")
async def change_connector(connector_id: str) -> Response:
    """Change the given members. The configuration is replaced as a whole."""
    changes = await read_body(_CHANGES)
    row = _get(connector_id)
    values = to_columns(await _checked(changes, connector_id))
    if values:
        with current_store().begin() as connection:
            row = update_row(connection, sso_connectors, values, sso_connectors.c.id == connector_id)
    return json_response(await _with_metadata(row))


@blueprint.delete("/sso-connectors/<connector_id>")
async def delete_connector(connector_id: str) -> Response:
    """Delete the connector, and every identity that came through it. The accounts stay."""
    _get(connector_id)
    with current_store().begin() as connection:
        delete_row(connection, sso_connectors, sso_connectors.c.id == connector_id)
    return no_content()


def _get(connector_id: str) -> sa.RowMapping:
    """Return the connector's row. Raises 404 ``entity.not_exists_with_id``."""
    with current_store().begin() as connection:
        return get_row(connection, sso_connectors, connector_id)


async def _checked(values: Mapping[str, Any], connector_id: str) -> dict[str, Any]:
    """Return the values as they are stored.

    Raises 422 for a domain of a public email service or one that appears twice, 409 for a name that is taken,
    and 400 ``connector.invalid_config`` for an incomplete configuration or an issuer that doesn't work.
    """
    checked = dict(values)
    if "domains" in values:
        checked["domains"] = _checked_domains([domain.lower() for domain in values["domains"]])
    if "config" in values:
        checked["config"] = checked_config(values["config"])
        if checked["config"] is None:
            raise refusal("connector.invalid_config")
    if "connectorName" in values:
        _refuse_taken_name(values["connectorName"], connector_id)
    if provider := find_provider(checked.get("config")):
        await _require_metadata(provider)
    if values.get("enableTokenStorage"):
        raise refusal("request.feature_not_supported")
    return checked


def _checked_domains(domains: list[str]) -> list[str]:
    unique = list(dict.fromkeys(domains))
    forbidden = [domain for domain in unique if domain in _PUBLIC_DOMAINS]
    if forbidden:
        raise refusal("single_sign_on.forbidden_domains", data={"data": forbidden})
    repeated = [domain for domain in unique if domains.count(domain) > 1]
    if repeated:
        raise refusal("single_sign_on.duplicated_domains", data={"data": repeated})
    return domains


def _refuse_taken_name(name: str, connector_id: str) -> None:
    taken = sa.exists().where(sso_connectors.c.connector_name == name, sso_connectors.c.id != connector_id)
    with current_store().begin() as connection:
        if connection.execute(sa.select(taken)).scalar_one():
            raise refusal("single_sign_on.duplicate_connector_name")


async def _require_metadata(provider: OpenIdProvider) -> None:
    try:
        await provider.discover(current_settings().connector_timeout)
    except ProviderFailure as failure:
        raise failure.refusal(400) from failure


async def _with_metadata(row: sa.RowMapping) -> Entity:
    """Return the connector with its provider's metadata, if the provider publishes it now."""
    kind = next(known for known in SSO_PROVIDERS if known.id == row["provider_name"])
    shown = entities.sso_connector(row) | {
        "name": kind.name,
        "providerType": kind.protocol,
        "providerLogo": LOGO,
        "providerLogoDark": LOGO,
    }
    provider = find_provider(row["config"])
    if provider is None:
        return shown
    try:
        metadata = await provider.discover(current_settings().connector_timeout)
    except ProviderFailure:
        return shown
    published = {
        "issuer": metadata.issuer,
        "authorizationEndpoint": metadata.authorization_endpoint,
        "tokenEndpoint": metadata.token_endpoint,
        "userinfoEndpoint": metadata.userinfo_endpoint,
        "jwksUri": metadata.jwks_uri,
    }
    config = {**row["config"], **published, "scope": provider.requested_scope}
    return shown | {"providerConfig": {name: value for name, value in config.items() if value is not None}}
