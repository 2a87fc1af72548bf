"""Provisioning as data: differences between the registry and Logto, and what is left unchanged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from saas_app.errors import ConfigurationError
from saas_app.logto import (
    AccountCenter,
    Application,
    Hook,
    OrganizationRole,
    OrganizationScope,
    Resource,
    ResourceScope,
)
from saas_app.operations.provisioning import Action, Change, Deployment, Found, Kind, drift, plan
from saas_app.operations.provisioning.plan import merged_metadata
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Permission, Role, permissions_carried_by
from saas_app.webhooks.events import WebhookEvent

DEPLOYMENT = Deployment("https://work.example", "https://api.workroom.example", webhook_signing_key="key")
HOOK = Hook(
    id="hook",
    name="Another name",
    url="https://work.example/webhooks/logto",
    events=frozenset(WebhookEvent) | {"PostSignIn"},
    is_enabled=True,
    signing_key="key",
    config={"url": "https://work.example/webhooks/logto", "headers": {"x-theirs": "1"}},
)
ORGANIZATION_SCOPES = permissions_carried_by(Carrier.ORGANIZATION_TOKEN)
API_SCOPES = permissions_carried_by(Carrier.API_TOKEN)


def role_as_declared(role: Role) -> OrganizationRole:
    held = {carrier: {p for p in ROLE_PERMISSIONS[role] if p.carrier is carrier} for carrier in Carrier}
    return OrganizationRole(
        id=f"role-{role}",
        name=role.value,
        description=role.description,
        type=role.type.value,
        scope_ids=frozenset(f"id {p.value}" for p in held[Carrier.ORGANIZATION_TOKEN]),
        resource_scope_ids=frozenset(f"id {p.value}" for p in held[Carrier.API_TOKEN]),
    )


def up_to_date_logto() -> Found:
    """Return a Logto in which everything is as the registry says."""
    return Found(
        organization_scopes={
            p.value: OrganizationScope(id=f"id {p.value}", name=p.value, description=p.description)
            for p in ORGANIZATION_SCOPES
        },
        resources=(
            Resource(
                id="resource",
                name="Another name",
                indicator=DEPLOYMENT.api_resource,
                scopes=tuple(
                    ResourceScope(id=f"id {p.value}", name=p.value, description=p.description)
                    for p in API_SCOPES
                ),
            ),
        ),
        roles={role.value: role_as_declared(role) for role in Role},
        id_token_claims=("roles", "organizations", "organization_roles"),
        account_center=AccountCenter(is_enabled=True, fields={"name": "Edit", "avatar": "Edit"}),
        application=Application(
            id="app",
            name="Workroom",
            type="Traditional",
            oidc_metadata={
                "redirectUris": ["https://work.example/callback"],
                "postLogoutRedirectUris": ["https://work.example/"],
                "backchannelLogoutUri": "https://work.example/backchannel-logout",
                "backchannelLogoutSessionRequired": True,
            },
            custom_metadata={"rotateRefreshToken": True, "allowTokenExchange": False},
        ),
        usable_secrets=("secret",),
        webhook=HOOK,
    )


def only_drift(found: Found, deployment: Deployment = DEPLOYMENT) -> Change:
    """Return the one change in the plan."""
    (change,) = drift(plan(deployment, found))
    return change


def test_an_empty_logto_gets_everything_in_the_registry() -> None:
    changes = plan(DEPLOYMENT, Found())

    created = {(change.kind, change.name) for change in changes if change.action is Action.CREATE}
    assert created == {
        *((Kind.ORGANIZATION_SCOPE, permission.value) for permission in ORGANIZATION_SCOPES),
        (Kind.RESOURCE, "https://api.workroom.example"),
        *((Kind.RESOURCE_SCOPE, permission.value) for permission in API_SCOPES),
        *((Kind.ROLE, role.value) for role in Role),
        (Kind.APPLICATION, "Workroom"),
        (Kind.SECRET, "Workroom"),
        (Kind.WEBHOOK, "https://work.example/webhooks/logto"),
    }
    updated = [change.kind for change in drift(changes) if change.action is Action.UPDATE]
    assert updated == [Kind.ID_TOKEN, Kind.ACCOUNT_CENTER]


def test_nothing_is_written_if_nothing_differs() -> None:
    assert drift(plan(DEPLOYMENT, up_to_date_logto())) == ()


def test_permissions_come_before_the_roles_that_bundle_them() -> None:
    kinds = [change.kind for change in plan(DEPLOYMENT, Found())]

    assert kinds == sorted(kinds, key=list(Kind).index)


def test_a_role_with_a_missing_and_an_extra_permission_is_corrected() -> None:
    found = up_to_date_logto()
    editor = found.roles["editor"]
    altered = editor.model_copy(
        update={
            "scope_ids": editor.scope_ids | {"id audit:read"},
            "resource_scope_ids": editor.resource_scope_ids - {"id projects:write"},
        }
    )

    change = only_drift(replace(found, roles={**found.roles, "editor": altered}))

    assert (change.kind, change.name, change.action) == (Kind.ROLE, "editor", Action.UPDATE)
    assert change.detail == "+projects:write, -audit:read"


def test_a_scope_of_another_resource_in_our_role_is_drift_even_with_our_scopes_name() -> None:
    found = up_to_date_logto()
    stranger = Resource(
        id="other",
        name="Ledger",
        indicator="https://ledger.example",
        scopes=(ResourceScope(id="x", name="projects:read", description=""),),
    )
    viewer = found.roles["viewer"]
    altered = viewer.model_copy(update={"resource_scope_ids": viewer.resource_scope_ids | {"x"}})

    change = only_drift(
        replace(found, resources=(*found.resources, stranger), roles={**found.roles, "viewer": altered})
    )

    assert change.detail == "-Ledger projects:read"


def test_roles_scopes_and_claims_of_other_applications_are_not_drift() -> None:
    found = up_to_date_logto()
    theirs = OrganizationRole(id="r", name="auditor", description="theirs", scope_ids=frozenset({"s"}))

    assert (
        drift(
            plan(
                DEPLOYMENT,
                replace(
                    found,
                    roles={**found.roles, "auditor": theirs},
                    organization_scopes={
                        **found.organization_scopes,
                        "books:read": OrganizationScope(id="s", name="books:read"),
                    },
                    id_token_claims=(*found.id_token_claims, "custom_data"),
                ),
            )
        )
        == ()
    )


def test_a_role_of_the_wrong_type_stops_the_plan() -> None:
    found = up_to_date_logto()
    wrong = found.roles["integration"].model_copy(update={"type": "User"})

    with pytest.raises(ConfigurationError, match=r"'integration' is of type User.*MachineToMachine"):
        plan(DEPLOYMENT, replace(found, roles={**found.roles, "integration": wrong}))


@pytest.mark.parametrize("permission", list(Permission), ids=str)
def test_a_changed_description_is_corrected(permission: Permission) -> None:
    found = up_to_date_logto()
    if permission.carrier is Carrier.ORGANIZATION_TOKEN:
        scope = found.organization_scopes[permission.value].model_copy(update={"description": "old"})
        found = replace(found, organization_scopes={**found.organization_scopes, permission.value: scope})
    else:
        (resource,) = found.resources
        scopes = tuple(
            scope.model_copy(update={"description": "old"}) if scope.name == permission.value else scope
            for scope in resource.scopes
        )
        found = replace(found, resources=(resource.model_copy(update={"scopes": scopes}),))

    change = only_drift(found)

    assert (change.name, change.action, change.detail) == (permission.value, Action.UPDATE, "description")


def test_moving_the_application_adds_its_addresses_and_keeps_the_others() -> None:
    found = up_to_date_logto()
    moved = replace(DEPLOYMENT, app_url="http://localhost:3100")

    assert only_drift(found, moved).detail == "redirect URI, post sign-out URI, back-channel logout"
    oidc, _ = merged_metadata(moved, found.application)
    assert oidc["redirectUris"] == ["https://work.example/callback", "http://localhost:3100/callback"]
    assert oidc["postLogoutRedirectUris"] == ["https://work.example/", "http://localhost:3100/"]


def test_other_metadata_of_the_application_is_kept() -> None:
    application = Application(
        id="app",
        name="Workroom",
        type="Traditional",
        oidc_metadata={
            "redirectUris": [],
            "postLogoutRedirectUris": [],
            "logoUri": "https://b.example/logo.svg",
        },
        custom_metadata={"rotateRefreshToken": False, "refreshTokenTtlInDays": 30},
    )

    oidc, custom = merged_metadata(DEPLOYMENT, application)

    assert oidc["logoUri"] == "https://b.example/logo.svg"
    assert custom == {"rotateRefreshToken": True, "allowTokenExchange": False, "refreshTokenTtlInDays": 30}


@pytest.mark.parametrize(
    "changed",
    [{"rotateRefreshToken": False}, {"allowTokenExchange": True}],
    ids=["refresh tokens kept for ever", "tokens of others exchanged"],
)
def test_loosened_token_settings_are_corrected(changed: dict[str, bool]) -> None:
    found = up_to_date_logto()
    assert found.application is not None
    metadata = {**found.application.custom_metadata, **changed}
    loosened = found.application.model_copy(update={"custom_metadata": metadata})

    change = only_drift(replace(found, application=loosened))

    assert (change.kind, change.detail) == (Kind.APPLICATION, "token settings")


def test_a_stored_application_id_that_logto_does_not_know_is_drift() -> None:
    change = only_drift(up_to_date_logto(), replace(DEPLOYMENT, app_id="elsewhere"))

    assert (change.kind, change.detail) == (
        Kind.APPLICATION,
        "the stored LOGTO_APP_ID does not exist in this Logto",
    )


def test_a_stored_secret_that_is_no_longer_valid_is_drift() -> None:
    change = only_drift(up_to_date_logto(), replace(DEPLOYMENT, app_id="app", app_secret="gone"))

    assert (change.kind, change.action) == (Kind.SECRET, Action.UPDATE)


def test_an_application_without_a_usable_secret_gets_one() -> None:
    change = only_drift(replace(up_to_date_logto(), usable_secrets=()))

    assert (change.kind, change.action) == (Kind.SECRET, Action.CREATE)


def test_missing_id_token_claims_are_added() -> None:
    change = only_drift(replace(up_to_date_logto(), id_token_claims=("organizations",)))

    assert (change.kind, change.detail) == (Kind.ID_TOKEN, "+organization_roles")


@pytest.mark.parametrize(
    ("center", "detail"),
    [
        (AccountCenter(), "it is off, +name, +avatar"),
        (AccountCenter(is_enabled=True, fields={"name": "ReadOnly", "avatar": "Edit"}), "+name"),
        (AccountCenter(is_enabled=False, fields={"name": "Edit", "avatar": "Edit"}), "it is off"),
    ],
)
def test_the_account_center_is_opened_for_name_and_picture(center: AccountCenter, detail: str) -> None:
    change = only_drift(replace(up_to_date_logto(), account_center=center))

    assert (change.kind, change.detail) == (Kind.ACCOUNT_CENTER, detail)


def test_secrets_are_not_shown() -> None:
    deployment = replace(DEPLOYMENT, app_secret="hush")

    assert "hush" not in repr(deployment)
    assert "secret" not in repr(up_to_date_logto()).replace("usable_secrets", "")


@pytest.mark.parametrize(
    ("hook", "detail"),
    [
        (HOOK.model_copy(update={"events": HOOK.events - {"User.Deleted"}}), "+User.Deleted"),
        (HOOK.model_copy(update={"is_enabled": False}), "it is disabled"),
        (
            HOOK.model_copy(update={"signing_key": "another"}),
            "the stored LOGTO_WEBHOOK_SIGNING_KEY is no longer valid",
        ),
    ],
)
def test_a_webhook_that_would_not_reach_us_is_corrected(hook: Hook, detail: str) -> None:
    deployment = replace(DEPLOYMENT, app_id="app")

    change = only_drift(replace(up_to_date_logto(), webhook=hook), deployment)

    assert (change.kind, change.action, change.detail) == (Kind.WEBHOOK, Action.UPDATE, detail)


def test_a_signing_key_that_was_never_stored_is_drift() -> None:
    change = only_drift(up_to_date_logto(), replace(DEPLOYMENT, app_id="app", webhook_signing_key=""))

    assert change.detail == "LOGTO_WEBHOOK_SIGNING_KEY is not stored"


def test_an_incomplete_back_channel_logout_is_corrected() -> None:
    found = up_to_date_logto()
    assert found.application is not None
    metadata = {**found.application.oidc_metadata, "backchannelLogoutSessionRequired": False}

    changed = found.application.model_copy(update={"oidc_metadata": metadata})
    change = only_drift(replace(found, application=changed))

    assert (change.kind, change.detail) == (Kind.APPLICATION, "back-channel logout")


@pytest.mark.parametrize("experience", [{}, {"singleSignOnEnabled": False}, {"singleSignOnEnabled": None}])
def test_single_sign_on_that_is_off_is_turned_on_if_it_is_asked_for(experience: dict[str, object]) -> None:
    found = replace(up_to_date_logto(), sign_in_experience=experience)

    change = only_drift(found, replace(DEPLOYMENT, single_sign_on=True))

    assert (change.kind, change.action, change.detail) == (Kind.SINGLE_SIGN_ON, Action.UPDATE, "it is off")


def test_single_sign_on_that_is_on_stays() -> None:
    found = replace(up_to_date_logto(), sign_in_experience={"singleSignOnEnabled": True})

    assert drift(plan(replace(DEPLOYMENT, single_sign_on=True), found)) == ()


@pytest.mark.parametrize("is_on", [True, False])
def test_single_sign_on_is_no_part_of_a_plan_that_does_not_ask_for_it(is_on: bool) -> None:
    found = replace(up_to_date_logto(), sign_in_experience={"singleSignOnEnabled": is_on})

    assert Kind.SINGLE_SIGN_ON not in {change.kind for change in plan(DEPLOYMENT, found)}
