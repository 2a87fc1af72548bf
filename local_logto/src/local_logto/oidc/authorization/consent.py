"""``/consent``: consent for Logto's first-party applications, given without showing a page."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.oidc.authorization.prompts import CONSENT
from local_logto.oidc.clients import find_client
from local_logto.oidc.grants import find_grant, new_grant, save_grant
from local_logto.oidc.session.interactions import find_interaction, resume_url, save_result
from local_logto.oidc.session.op_sessions import forget_submission
from local_logto.pages import page
from local_logto.responses import redirect_response
from local_logto.store import now_ms
from local_logto.tables import users
from local_logto.translation import _

_NOT_HERE: Final = _(
    "Here Logto asks what a third-party application may access. This server has no such page and doesn’t "
    "give third-party applications access."
)

blueprint = Blueprint("consent", __name__)


@blueprint.get("/consent")
async def consent() -> Response:
    interaction = find_interaction(request)
    if interaction is None or interaction.prompt != CONSENT or interaction.account_id is None:
        return redirect_response("/unknown-session", 302)
    client = find_client(interaction.client_id)
    if client is not None and client.is_third_party:
        return await _no_page_for_third_parties()
    details = interaction.details
    with current_store().begin() as connection:
        grant = find_grant(connection, details["grant_id"])
        if grant is None:
            grant = new_grant(interaction.account_id, interaction.client_id)
        grant = grant.with_scopes(details["missing_oidc"], details["missing_on"])
        save_grant(connection, grant)
        if interaction.forgets_sign_in:
            forget_submission(connection, interaction.session_uid, interaction.client_id)
        _remember_first_application(connection, interaction.account_id, interaction.client_id)
    save_result(interaction.uid, {**details["result"], CONSENT: {"grantId": grant.id}})
    return redirect_response(resume_url(request, interaction), 302)


async def _no_page_for_third_parties() -> Response:
    """Show that consent for third-party applications, which Logto asks the person for, is not available."""
    answer = await page("notice.html", title=_("No consent page"), text=_NOT_HERE, links=[])
    answer.status_code = 501
    return answer


def _remember_first_application(connection: sa.Connection, user_id: str, client_id: str) -> None:
    first = sa.update(users).where(users.c.id == user_id, users.c.application_id.is_(None))
    connection.execute(first.values(application_id=client_id, updated_at=now_ms()))
