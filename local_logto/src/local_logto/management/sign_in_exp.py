"""``/sign-in-exp``: the settings for signing in and up, for administrators and, in part, for the sign-in
page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto import email_blocklist
from local_logto.connectors.enterprise import list_sso_connectors
from local_logto.connectors.registry import list_connectors
from local_logto.connectors.sending import CONNECTOR_TYPES, can_send, has_connector
from local_logto.connectors.sso_providers import LOGO
from local_logto.context import current_settings, current_store
from local_logto.errors import RequestError
from local_logto.management.connectors import known_social_targets
from local_logto.management.entities import TENANT, Entity
from local_logto.management.failures import no_values
from local_logto.management.guard import read_body, read_query
from local_logto.management.sign_in_exp_rules import check_changes, refuse_cloud_only
from local_logto.management.sign_in_exp_shapes import CHANGES
from local_logto.management.username_case import find_case_conflicts, refuse_case_conflicts
from local_logto.responses import json_response
from local_logto.settings_rows import SIGN_IN_EXP, read_setting, write_setting
from local_logto.store import Store
from local_logto.tables import organizations
from local_logto.values import Shape, Text

_LIMIT: Final = Shape(optional={"limit": Text(pattern=r"[1-9]\d?|100")})

# Logto's seed, except that people may also sign in with their email address
SEED: Final[Mapping[str, Any]] = {
    "color": {"primaryColor": "#6139F6", "isDarkModeEnabled": False, "darkPrimaryColor": "#8768F8"},
    "branding": {
        "logoUrl": "https://logto.io/logo.svg",
        "darkLogoUrl": "https://logto.io/logo-dark.svg",
    },
    "hideLogtoBranding": False,
    "languageInfo": {"autoDetect": True, "fallbackLanguage": "en"},
    "termsOfUseUrl": None,
    "privacyPolicyUrl": None,
    "agreeToTermsPolicy": "Automatic",
    "signIn": {
        "methods": [
            {"identifier": name, "password": True, "verificationCode": False, "isPasswordPrimary": True}
            for name in ("username", "email")
        ]
    },
    "signUp": {"identifiers": ["username"], "password": True, "verify": False},
    "socialSignIn": {},
    "socialSignInConnectorTargets": [],
    "signInMode": "SignInAndRegister",
    "customCss": None,
    "customContent": {},
    "customUiAssets": None,
    "customUiCsp": {},
    "passwordPolicy": {},
    "mfa": {"factors": [], "policy": "UserControlled"},
    "adaptiveMfa": {},
    "singleSignOnEnabled": False,
    "supportEmail": None,
    "supportWebsiteUrl": None,
    "unknownSessionRedirectUrl": None,
    "captchaPolicy": {},
    "sentinelPolicy": {},
    "emailBlocklistPolicy": {},
    "verificationCodePolicy": {},
    "forgotPasswordMethods": [],
    "passkeySignIn": {},
    "signUpProfileFields": None,
    "passwordExpiration": {},
    "usernamePolicy": {
        "caseSensitive": True,
        "minLength": 1,
        "maxLength": 128,
        "allowedChars": {"lowercase": True, "uppercase": True, "numbers": True, "underscore": True},
    },
}

blueprint = Blueprint("sign_in_exp", __name__, url_prefix="/sign-in-exp")
public_blueprint = Blueprint("public_sign_in_exp", __name__, url_prefix="/.well-known/sign-in-exp")


@blueprint.get("")
async def get_sign_in_experience() -> Response:
    return json_response(_shown(read_setting(current_store(), SIGN_IN_EXP)))


@blueprint.patch("")
async def change_sign_in_experience() -> Response:
    """Change the given members. Objects are replaced as a whole, and social targets without a connector are
    dropped.
    """
    changes = await read_body(CHANGES)
    if not changes:
        raise no_values()
    refuse_cloud_only(changes)
    if "emailBlocklistPolicy" in changes:
        changes["emailBlocklistPolicy"] = email_blocklist.checked(changes["emailBlocklistPolicy"])
    targets = changes.get("socialSignInConnectorTargets")
    if targets is not None:
        changes["socialSignInConnectorTargets"] = known_social_targets(targets)
    if "mfa" in changes and not changes["mfa"]["factors"]:
        changes.setdefault("adaptiveMfa", {"enabled": False})
    known = read_setting(current_store(), SIGN_IN_EXP)
    values = {**known, **changes}
    with current_store().begin() as connection:
        refuse_case_conflicts(connection, changes)
    check_changes(changes, values, _sendable())
    write_setting(current_store(), SIGN_IN_EXP, values)
    return json_response(_shown(values), headers=_note_on_connectors(changes, values))


@blueprint.get("/username-policy/case-sensitivity-conflicts")
async def list_username_case_conflicts() -> Response:
    """List up to ``limit`` usernames that conflict with case-insensitive usernames."""
    limit = read_query(_LIMIT).get("limit", "20")
    with current_store().begin() as connection:
        return json_response(find_case_conflicts(connection, int(limit)))


@public_blueprint.get("")
async def get_public_sign_in_experience() -> Response:
    """Return what a sign-in page reads, with the branding of ``organizationId``. Needs no token."""
    values = with_organization(
        current_store(), read_setting(current_store(), SIGN_IN_EXP), request.args.get("organizationId")
    )
    shown = _shown(values)
    del shown["emailBlocklistPolicy"], shown["forgotPasswordMethods"]
    methods, sendable = values["forgotPasswordMethods"], _sendable()
    return json_response(
        shown
        | {"socialConnectors": _social_buttons(values["socialSignInConnectorTargets"])}
        | {
            "ssoConnectors": _sso_connectors() if values["singleSignOnEnabled"] else [],
            "forgotPassword": {
                "phone": "PhoneVerificationCode" in methods and "phone" in sendable,
                "email": "EmailVerificationCode" in methods and "email" in sendable,
            },
            "isDevelopmentTenant": False,
            "customProfileFields": [],
            "customProfileFieldCatalog": [],
        }
    )


def with_organization(store: Store, values: Mapping[str, Any], organization_id: str | None) -> dict[str, Any]:
    """Return the settings with the branding of an organization over them. An unknown one changes nothing."""
    found = sa.select(organizations.c.branding, organizations.c.color, organizations.c.custom_css)
    with store.begin() as connection:
        row = connection.execute(found.where(organizations.c.id == organization_id)).one_or_none()
    if row is None:
        return dict(values)
    merged = {"branding": {**values["branding"], **row.branding}, "color": {**values["color"], **row.color}}
    return {**values, **merged, **({"customCss": row.custom_css} if row.custom_css else {})}


def _note_on_connectors(changes: dict[str, Any], values: dict[str, Any]) -> dict[str, str]:
    """Return a header if Logto would have rejected the change. There, only connectors can send codes."""
    made = [kind for kind in CONNECTOR_TYPES if has_connector(current_store(), kind)]
    try:
        check_changes(changes, values, made)
    except RequestError as refusal:
        return {"Local-Logto-Note": f"built-in messages count as a connector; Logto answers {refusal.code}"}
    return {}


def _sendable() -> list[str]:
    """Return the types of address to which messages can be sent."""
    return [kind for kind in CONNECTOR_TYPES if can_send(current_store(), current_settings(), kind)]


def _social_buttons(targets: list[str]) -> list[Entity]:
    """Return the connectors of the targets, in the order of the targets."""
    connectors = list_connectors(current_store())
    return [
        {**connector.factory.metadata(), **connector.metadata, "id": connector.id}
        for target in targets
        for connector in connectors
        if connector.target == target
    ]


def _sso_connectors() -> list[Entity]:
    """Return the enterprise connectors that people can sign in through, as the page shows them."""
    return [
        {
            "id": connector.id,
            "connectorName": connector.branding.get("displayName") or connector.provider_name,
            "logo": connector.branding.get("logo") or LOGO,
            "darkLogo": connector.branding.get("darkLogo") or LOGO,
        }
        for connector in list_sso_connectors(current_store())
        if connector.is_available
    ]


def _shown(values: Mapping[str, Any]) -> Entity:
    return TENANT | {"id": "default"} | dict(values)
