"""The Management API of Logto 1.42, as far as a B2B product uses it: one file per family of resources.

All routes need a Management API token, except the status and what sign-in pages read. ``entities`` defines
what routes return, ``failures`` their errors, and ``guard`` how bodies are checked.
"""

from __future__ import annotations

from quart import Blueprint, Response
from sqlalchemy.exc import IntegrityError

from local_logto.errors import render_request_error
from local_logto.management import (
    account_center,
    application_secrets,
    applications,
    connector_factories,
    connectors,
    email_templates,
    hooks,
    invitations,
    just_in_time,
    member_roles,
    members,
    one_time_tokens,
    organization_applications,
    organization_roles,
    organization_scopes,
    organizations,
    personal_access_tokens,
    resources,
    role_scopes,
    roles,
    sign_in_exp,
    sso_connectors,
    sso_identities,
    subject_tokens,
    token_configs,
    user_authorizations,
    user_factors,
    user_identities,
    user_roles,
    user_settings,
    users,
    verification_codes,
)
from local_logto.management.authentication import require_management_token
from local_logto.management.failures import refusal_of
from local_logto.responses import no_content
from local_logto.webhooks import send_announced

blueprint = Blueprint("management", __name__, url_prefix="/api")

_protected = Blueprint("protected", __name__)
for _family in (
    account_center,
    application_secrets,
    applications,
    connector_factories,
    connectors,
    email_templates,
    hooks,
    invitations,
    just_in_time,
    member_roles,
    members,
    one_time_tokens,
    organization_applications,
    organization_roles,
    organization_scopes,
    organizations,
    personal_access_tokens,
    resources,
    role_scopes,
    roles,
    sign_in_exp,
    sso_connectors,
    sso_identities,
    subject_tokens,
    token_configs,
    user_authorizations,
    user_factors,
    user_identities,
    user_roles,
    user_settings,
    users,
    verification_codes,
):
    _protected.register_blueprint(_family.blueprint)


@_protected.before_request
async def _require_token() -> None:
    require_management_token()


@_protected.errorhandler(IntegrityError)
async def _render_integrity_error(error: IntegrityError) -> Response:
    return await render_request_error(refusal_of(error))


@blueprint.get("/status")
async def status() -> Response:
    """Answer that the server is up. Needs no token."""
    return no_content()


_protected.after_request(send_announced)
blueprint.register_blueprint(_protected)
blueprint.register_blueprint(sign_in_exp.public_blueprint)
