"""``/organizations/:id/jit``: whose new accounts join an organization, and their roles.

Email domains and enterprise connectors decide. People join in ``experience.just_in_time``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.connectors.enterprise import sso_connectors
from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.families import Related
from local_logto.management.guard import read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import Relation
from local_logto.management.role_choice import PERSON, require_kind
from local_logto.management.rows import get_row, insert_row
from local_logto.management.tables import (
    organization_jit_email_domains,
    organization_jit_roles,
    organization_jit_sso_connectors,
)
from local_logto.responses import json_response
from local_logto.tables import organization_roles, organizations
from local_logto.values import Shape, Text

_DOMAINS: Final = Relation(organization_jit_email_domains, "email_domain")
_SSO_CONNECTORS: Final = Relation(organization_jit_sso_connectors, "sso_connector_id")
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
    _SSO_CONNECTORS,
    "ssoConnectorIds",
    sso_connectors,
    entities.sso_connector,
    exists=_require_organization,
).serve(blueprint, "/sso-connectors", "list", "add", "replace", "remove")
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
