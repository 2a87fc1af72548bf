"""``/organizations/:id/jit``: whose new accounts join an organization by themselves, and with which roles.

Joining happens when somebody signs up, which is not this room's work.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.failures import foreign_key_not_found, not_found
from local_logto.management.guard import ANY_TEXTS, SOME_TEXTS, Shape, Text, read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import Relation
from local_logto.management.role_choice import PERSON, require_kind
from local_logto.management.rows import get_row, insert_row
from local_logto.management.tables import organization_jit_email_domains, organization_jit_roles
from local_logto.responses import created, json_response, no_content
from local_logto.store import organization_roles, organizations

_DOMAINS: Final = Relation(organization_jit_email_domains, "email_domain")
_ROLES: Final = Relation(organization_jit_roles, "organization_role_id")

blueprint = Blueprint("just_in_time", __name__, url_prefix="/organizations/<organization_id>/jit")


@blueprint.get("/email-domains")
async def list_email_domains(organization_id: str) -> Response:
    paging = read_paging(is_optional=True)
    domains = organization_jit_email_domains
    query = (
        sa.select(domains)
        .where(domains.c.organization_id == organization_id)
        .order_by(domains.c.email_domain)
    )
    async with current_store().begin() as connection:
        page = await read_page(connection, query, paging)
    return list_response([entities.jit_email_domain(row) for row in page.rows], page)


@blueprint.post("/email-domains")
async def add_email_domain(organization_id: str) -> Response:
    domain = (await read_body(Shape({"emailDomain": Text(min=1, max=128)})))["emailDomain"]
    values = {"organization_id": organization_id, "email_domain": domain}
    async with current_store().begin() as connection:
        row = await insert_row(connection, organization_jit_email_domains, values)
    return json_response(entities.jit_email_domain(row), 201)


@blueprint.put("/email-domains")
async def replace_email_domains(organization_id: str) -> Response:
    domains = (await read_body(Shape({"emailDomains": ANY_TEXTS})))["emailDomains"]
    async with current_store().begin() as connection:
        await _DOMAINS.replace(connection, domains, organization_id=organization_id)
    return no_content()


@blueprint.delete("/email-domains/<email_domain>")
async def remove_email_domain(organization_id: str, email_domain: str) -> Response:
    async with current_store().begin() as connection:
        await _DOMAINS.remove(connection, email_domain, organization_id=organization_id)
    return no_content()


@blueprint.get("/roles")
async def list_roles(organization_id: str) -> Response:
    paging = read_paging(is_optional=True)
    given = organization_jit_roles
    query = (
        sa.select(organization_roles)
        .join(given, given.c.organization_role_id == organization_roles.c.id)
        .where(given.c.organization_id == organization_id)
        .order_by(organization_roles.c.id)
    )
    async with current_store().begin() as connection:
        await get_row(connection, organizations, organization_id)
        page = await read_page(connection, query, paging)
    return list_response([entities.organization_role(row) for row in page.rows], page)


@blueprint.post("/roles")
async def add_roles(organization_id: str) -> Response:
    role_ids = (await read_body(Shape({"organizationRoleIds": SOME_TEXTS})))["organizationRoleIds"]
    async with current_store().begin() as connection:
        await require_kind(connection, role_ids, PERSON)
        await _ROLES.add(connection, role_ids, organization_id=organization_id)
    return created()


@blueprint.put("/roles")
async def replace_roles(organization_id: str) -> Response:
    role_ids = (await read_body(Shape({"organizationRoleIds": ANY_TEXTS})))["organizationRoleIds"]
    async with current_store().begin() as connection:
        await require_kind(connection, role_ids, PERSON)
        await _ROLES.replace(connection, role_ids, organization_id=organization_id)
    return no_content()


@blueprint.delete("/roles/<organization_role_id>")
async def remove_role(organization_id: str, organization_role_id: str) -> Response:
    async with current_store().begin() as connection:
        await _ROLES.remove(connection, organization_role_id, organization_id=organization_id)
    return no_content()


@blueprint.get("/sso-connectors")
async def list_sso_connectors(organization_id: str) -> Response:
    """This provider has no enterprise connectors, so no organization names any."""
    async with current_store().begin() as connection:
        await get_row(connection, organizations, organization_id)
    return json_response([])


@blueprint.post("/sso-connectors")
async def add_sso_connectors(organization_id: str) -> Response:
    """Whichever connector is named, it is unknown."""
    await read_body(Shape({"ssoConnectorIds": SOME_TEXTS}))
    raise foreign_key_not_found()


@blueprint.delete("/sso-connectors/<sso_connector_id>")
async def remove_sso_connector(organization_id: str, sso_connector_id: str) -> Response:
    raise not_found()


@blueprint.put("/sso-connectors")
async def replace_sso_connectors(organization_id: str) -> Response:
    """Only none can be named: whichever connector it is, it is unknown."""
    if (await read_body(Shape({"ssoConnectorIds": ANY_TEXTS})))["ssoConnectorIds"]:
        raise foreign_key_not_found()
    return no_content()
