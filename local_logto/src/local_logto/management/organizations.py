"""``/organizations``: the organizations themselves. ``members`` has the people in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.families import Entities
from local_logto.management.guard import asks_for
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.sign_in_exp_shapes import COLOR
from local_logto.store import new_id, now_ms
from local_logto.tables import organization_users, organizations, users
from local_logto.values import AnyObject, Flag, OrNull, Shape, Text

FEATURED_MEMBERS: Final = 3

_URL: Final = Text(is_url=True)
_ORGANIZATION: Final = Shape(
    required={"name": Text(min=1, max=128)},
    optional={
        "description": OrNull(Text(max=256)),
        "customData": AnyObject(),
        "isMfaRequired": Flag(),
        "color": Shape(
            optional={"primaryColor": COLOR, "isDarkModeEnabled": Flag(), "darkPrimaryColor": COLOR}
        ),
        "branding": Shape(
            optional={"logoUrl": _URL, "darkLogoUrl": _URL, "favicon": _URL, "darkFavicon": _URL}
        ),
        "customCss": OrNull(Text()),
    },
)

blueprint = Blueprint("organizations", __name__, url_prefix="/organizations")

ORGANIZATIONS: Final = Entities(
    organizations,
    entities.organization,
    _ORGANIZATION,
    order=(organizations.c.id,),
    search=(organizations.c.id, organizations.c.name),
    events="Organization",
    new=lambda: {"id": new_id(12), "created_at": now_ms()},
)
ORGANIZATIONS.serve(blueprint, "create", "read", "change", "delete")


@blueprint.get("")
async def list_organizations() -> Response:
    """List organizations by ID, narrowed by ``q`` in ID and name. ``showFeatured`` adds a few members."""
    paging = read_paging()
    query = ORGANIZATIONS.found()
    with current_store().begin() as connection:
        page = read_page(connection, query, paging)
        shown = [entities.organization(row) for row in page.rows]
        if asks_for("showFeatured"):
            shown = [entity | _featured(connection, entity["id"]) for entity in shown]
    return list_response(shown, page)


def _featured(connection: sa.Connection, organization_id: str) -> dict[str, Any]:
    members = (
        sa.select(users.c.id, users.c.avatar, users.c.name)
        .join(organization_users, organization_users.c.user_id == users.c.id)
        .where(organization_users.c.organization_id == organization_id)
        .order_by(users.c.id)
    )
    rows: Sequence[sa.RowMapping] = connection.execute(members).mappings().all()
    return {"usersCount": len(rows), "featuredUsers": [dict(row) for row in rows[:FEATURED_MEMBERS]]}
