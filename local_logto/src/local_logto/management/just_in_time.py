"""``/organizations/:id/jit``: the email domains whose new accounts join an organization, and their roles.

People join when they sign up, in ``experience.just_in_time``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.failures import foreign_key_not_found, not_found
from local_logto.management.families import Related
from local_logto.management.guard import read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import Relation
from local_logto.management.role_choice import PERSON, require_kind
from local_logto.management.rows import get_row, insert_row
from local_logto.management.tables import organization_jit_email_domains, organization_jit_roles
from local_logto.responses import json_response, no_content
from local_logto.tables import organization_roles, organizations
from local_logto.values import ANY_TEXTS, SOME_TEXTS, Shape, Text

_DOMAINS: Final = Relation(organization_jit_email_domains, "email_domain")
_ROLES: Final = Relation(organization_jit_roles, "organization_role_id")

blueprint = Blueprint("just_in_time", __name__, url_prefix="/organizations/<organization_id>/jit")


def _require_organization(connection: sa.Connection, organization_id: str) -> None:
    get_row(connection, organizations, organization_id)


def _require_roles_of_people(connection: sa.Connection, role_ids: Sequence[str]) -> None:
    require_kind(connection, role_ids, PERSON)


Related(_DOMAINS, "emailDomains", organization_jit_email_domains, entities.jit_email_domain).serve(
    blueprint, "/email-domains", "replace", "remove"
)
Related(
    _ROLES,
    "organizationRoleIds",
    organization_roles,
    entities.organization_role,
    exists=_require_organization,
    check=_require_roles_of_people,
).serve(blueprint, "/roles", "list", "add", "replace", "remove")


@blueprint.get("/email-domains")
async def list_email_domains(organization_id: str) -> Response:
    paging = read_paging(is_optional=True)
    domains = organization_jit_email_domains
    query = sa.select(domains).where(domains.c.organization_id == organization_id)
    with current_store().begin() as connection:
        page = read_page(connection, query.order_by(domains.c.email_domain), paging)
    return list_response([entities.jit_email_domain(row) for row in page.rows], page)


@blueprint.post("/email-domains")
async def add_email_domain(organization_id: str) -> Response:
    domain = (await read_body(Shape({"emailDomain": Text(min=1, max=128)})))["emailDomain"]
    values = {"organization_id": organization_id, "email_domain": domain}
    with current_store().begin() as connection:
        row = insert_row(connection, organization_jit_email_domains, values)
    return json_response(entities.jit_email_domain(row), 201)


@blueprint.get("/sso-connectors")
async def list_sso_connectors(organization_id: str) -> Response:
    """List no connectors: this provider has no enterprise connectors."""
    with current_store().begin() as connection:
        get_row(connection, organizations, organization_id)
    return json_response([])


@blueprint.post("/sso-connectors")
async def add_sso_connectors(organization_id: str) -> Response:
    """Reject any connector as unknown."""
    await read_body(Shape({"ssoConnectorIds": SOME_TEXTS}))
    raise foreign_key_not_found()


@blueprint.delete("/sso-connectors/<sso_connector_id>")
async def remove_sso_connector(organization_id: str, sso_connector_id: str) -> Response:
    raise not_found()


@blueprint.put("/sso-connectors")
async def replace_sso_connectors(organization_id: str) -> Response:
    """Accept only an empty list: any connector is unknown."""
    if (await read_body(Shape({"ssoConnectorIds": ANY_TEXTS})))["ssoConnectorIds"]:
        raise foreign_key_not_found()
    return no_content()
