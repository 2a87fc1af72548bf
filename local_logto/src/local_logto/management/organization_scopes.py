"""``/organization-scopes``: the permissions of the organization template."""

from __future__ import annotations

from quart import Blueprint

from local_logto.management import entities
from local_logto.management.families import Entities
from local_logto.tables import organization_scopes
from local_logto.values import OrNull, Shape, Text

blueprint = Blueprint("organization_scopes", __name__, url_prefix="/organization-scopes")

SCOPES = Entities(
    organization_scopes,
    entities.organization_scope,
    Shape(required={"name": Text(min=1, max=128)}, optional={"description": OrNull(Text(max=256))}),
    order=(organization_scopes.c.name,),
    search=(organization_scopes.c.name,),
    events="OrganizationScope",
    is_paging_optional=True,
)
SCOPES.serve(blueprint, "list", "create", "read", "change", "delete")
