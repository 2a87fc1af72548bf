"""Compares declarations with what is in Logto, and plans what to change. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from saas_app.errors import ConfigurationError
from saas_app.logto import Application, Hook, OrganizationRole, Resource
from saas_app.operations.provisioning.changes import Action, Change, Kind
from saas_app.operations.provisioning.declared import (
    ACCOUNT_FIELDS,
    APPLICATION_NAME,
    CUSTOM_METADATA,
    EDITABLE,
    ID_TOKEN_CLAIMS,
    SINGLE_SIGN_ON_KEY,
    WEBHOOK_EVENTS,
    Deployment,
    role_permissions,
)
from saas_app.operations.provisioning.found import Found
from saas_app.operations.provisioning.sign_in_plan import plan_sign_in
from saas_app.rbac.permissions import Carrier, Role, permissions_carried_by
from saas_app.text.translation import Sentence, _

_BACKCHANNEL = ("backchannelLogoutUri", "backchannelLogoutSessionRequired")
_OIDC_METADATA = {  # by what a plan calls them
    _("redirect URI"): ("redirectUris",),
    _("post sign-out URI"): ("postLogoutRedirectUris",),
    _("back-channel logout"): _BACKCHANNEL,
}


def plan(deployment: Deployment, found: Found) -> tuple[Change, ...]:
    """Return every declared item with its action.

    Raises :class:`ConfigurationError` if something in Logto has one of our names, but cannot be changed into
    what we declare.
    """
    resource = found.find_resource(deployment.api_resource)
    return (
        *_organization_scopes(found),
        *_resource(deployment, resource),
        *(_role(role, found, resource) for role in Role),
        _application(deployment, found.application),
        _secret(deployment, found),
        _id_token(found),
        _account_center(found),
        _webhook(deployment, found.webhook),
        *(plan_sign_in(deployment.sign_in_methods, found) if deployment.sign_in_methods else ()),
        *((_single_sign_on(found),) if deployment.single_sign_on else ()),
    )


def _described(kind: Kind, name: str, found: Any, description: str) -> Change:
    if found is None:
        return Change(kind, name, Action.CREATE)
    if found.description != description:
        return Change(kind, name, Action.UPDATE, _("description"))
    return Change(kind, name, Action.KEEP)


def _organization_scopes(found: Found) -> Iterator[Change]:
    for permission in permissions_carried_by(Carrier.ORGANIZATION_TOKEN):
        scope = found.organization_scopes.get(permission.value)
        yield _described(Kind.ORGANIZATION_SCOPE, permission.value, scope, permission.description)


def _resource(deployment: Deployment, resource: Resource | None) -> Iterator[Change]:
    # Only the indicator matters. Its display name may be changed in Logto.
    yield Change(Kind.RESOURCE, deployment.api_resource, Action.CREATE if resource is None else Action.KEEP)
    scopes = {scope.name: scope for scope in resource.scopes} if resource else {}
    for permission in permissions_carried_by(Carrier.API_TOKEN):
        scope = scopes.get(permission.value)
        yield _described(Kind.RESOURCE_SCOPE, permission.value, scope, permission.description)


def _role(role: Role, found: Found, resource: Resource | None) -> Change:
    existing = found.roles.get(role.value)
    if existing is None:
        return Change(Kind.ROLE, role.value, Action.CREATE)
    if existing.type != role.type.value:
        raise ConfigurationError(
            _(
                "The organization role '%(name)s' is of type %(type)s in Logto, and this cannot be "
                "changed. Rename or delete it there, so that a role of type %(declared)s can be "
                "created.",
                name=role.value,
                type=existing.type,
                declared=role.type.value,
            )
        )
    differences = _differences(_declared_scopes(role), _bundled(existing, found, resource))
    if existing.description != role.description:
        differences.append(_("description"))
    if differences:
        return Change(Kind.ROLE, role.value, Action.UPDATE, Sentence.joined(differences))
    return Change(Kind.ROLE, role.value, Action.KEEP)


def _declared_scopes(role: Role) -> set[str]:
    return {permission.value for carrier in Carrier for permission in role_permissions(role, carrier)}


def _bundled(role: OrganizationRole, found: Found, ours: Resource | None) -> set[str]:
    """Return the names of a role's permissions and scopes. Other API resources' scopes are prefixed."""
    names = {scope.id: scope.name for scope in found.organization_scopes.values()}
    for resource in found.resources:
        prefix = "" if resource == ours else f"{resource.name} "
        names.update({scope.id: f"{prefix}{scope.name}" for scope in resource.scopes})
    return {names.get(scope_id, scope_id) for scope_id in role.scope_ids | role.resource_scope_ids}


def _differences(declared: set[str], bundled: set[str]) -> list[str]:
    added = [f"+{name}" for name in sorted(declared - bundled)]
    return added + [f"-{name}" for name in sorted(bundled - declared)]


def _application(deployment: Deployment, application: Application | None) -> Change:
    if application is None:
        return Change(Kind.APPLICATION, APPLICATION_NAME, Action.CREATE, deployment.redirect_uri)
    wanted, custom = merged_metadata(deployment, application)
    present = application.oidc_metadata
    reasons = [
        name for name, keys in _OIDC_METADATA.items() if any(wanted[key] != present.get(key) for key in keys)
    ]
    if custom != application.custom_metadata:
        reasons.append(_("token settings"))
    if deployment.app_id not in ("", application.id):
        reasons.append(_("the stored LOGTO_APP_ID does not exist in this Logto"))
    action = Action.UPDATE if reasons else Action.KEEP
    return Change(Kind.APPLICATION, application.name, action, Sentence.joined(reasons))


def merged_metadata(
    deployment: Deployment, application: Application | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both metadata objects with our values added, because Logto replaces them as a whole."""
    oidc = dict(application.oidc_metadata) if application else {}
    custom = dict(application.custom_metadata) if application else {}
    for name, uri in (
        ("redirectUris", deployment.redirect_uri),
        ("postLogoutRedirectUris", deployment.post_sign_out_uri),
    ):
        uris = list(oidc.get(name) or ())
        oidc[name] = uris if uri in uris else [*uris, uri]
    oidc |= dict(zip(_BACKCHANNEL, (deployment.backchannel_logout_uri, True), strict=True))
    return oidc, custom | CUSTOM_METADATA


def _secret(deployment: Deployment, found: Found) -> Change:
    if not found.usable_secrets:
        return Change(Kind.SECRET, APPLICATION_NAME, Action.CREATE)
    if deployment.app_secret and deployment.app_secret not in found.usable_secrets:
        return Change(
            Kind.SECRET, APPLICATION_NAME, Action.UPDATE, _("the stored LOGTO_APP_SECRET is no longer valid")
        )
    return Change(Kind.SECRET, APPLICATION_NAME, Action.KEEP)


def _id_token(found: Found) -> Change:
    name = ", ".join(ID_TOKEN_CLAIMS)
    missing = [claim for claim in ID_TOKEN_CLAIMS if claim not in found.id_token_claims]
    if missing:
        return Change(Kind.ID_TOKEN, name, Action.UPDATE, ", ".join(f"+{claim}" for claim in missing))
    return Change(Kind.ID_TOKEN, name, Action.KEEP)


def _account_center(found: Found) -> Change:
    name, center = ", ".join(ACCOUNT_FIELDS), found.account_center
    closed = [field for field in ACCOUNT_FIELDS if center.fields.get(field) != EDITABLE]
    reasons = ([] if center.is_enabled else [_("it is off")]) + [f"+{field}" for field in closed]
    action = Action.UPDATE if reasons else Action.KEEP
    return Change(Kind.ACCOUNT_CENTER, name, action, Sentence.joined(reasons))


def _single_sign_on(found: Found) -> Change:
    name = _("the identity providers of companies")
    if found.sign_in_experience.get(SINGLE_SIGN_ON_KEY) is True:
        return Change(Kind.SINGLE_SIGN_ON, name, Action.KEEP)
    return Change(Kind.SINGLE_SIGN_ON, name, Action.UPDATE, _("it is off"))


def _webhook(deployment: Deployment, hook: Hook | None) -> Change:
    if hook is None:
        return Change(Kind.WEBHOOK, deployment.webhook_url, Action.CREATE)
    reasons = [f"+{name}" for name in sorted(WEBHOOK_EVENTS - hook.events)]
    if not hook.is_enabled:
        reasons.append(_("it is disabled"))
    if deployment.webhook_signing_key not in ("", hook.signing_key):
        reasons.append(_("the stored LOGTO_WEBHOOK_SIGNING_KEY is no longer valid"))
    elif deployment.app_id and not deployment.webhook_signing_key:
        reasons.append(_("LOGTO_WEBHOOK_SIGNING_KEY is not stored"))
    action = Action.UPDATE if reasons else Action.KEEP
    return Change(Kind.WEBHOOK, hook.url, action, Sentence.joined(reasons))
