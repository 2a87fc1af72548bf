"""Access to the Management API, and the settings of a new provider."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from local_logto.absent import OPEN
from local_logto.management.seed import seed
from local_logto.settings import Settings
from local_logto.tables import application_secrets, configs, resources
from unit.management_app import MANAGEMENT_SECRET, ManagementApp

ANONYMOUS = {"/api/status", "/api/.well-known/sign-in-exp"}
OTHER_ROOMS = ("/api/experience", *OPEN)
EMAIL_AND_PASSWORD = {
    "identifier": "email",
    "password": True,
    "verificationCode": False,
    "isPasswordPrimary": True,
}


async def test_every_route_requires_a_token(api: ManagementApp) -> None:
    asked = 0
    for rule in api.app.url_map.iter_rules():
        if not rule.rule.startswith("/api") or rule.rule in ANONYMOUS or rule.rule.startswith(OTHER_ROOMS):
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            path = rule.rule.removeprefix("/api").replace("<", "").replace(">", "")
            answer = await api.call(method, path, token="")
            assert answer.refusal == (401, "auth.authorization_header_missing"), rule
            asked += 1
    assert asked > 80


async def test_token_with_a_forged_signature_is_refused(api: ManagementApp) -> None:
    header, claims, _ = api.token.split(".")
    answer = await api.call("GET", "/organizations", token=f"{header}.{claims}.c2lnbmF0dXJl")
    assert answer.refusal == (401, "auth.unauthorized")


async def test_token_for_another_resource_is_refused(api: ManagementApp) -> None:
    await api.made("/resources", name="Other", indicator="https://other.example")
    form = {
        "grant_type": "client_credentials",
        "resource": "https://other.example",
        "scope": "all",
        "client_id": "m-default",
        "client_secret": MANAGEMENT_SECRET,
    }
    response = await api.client.post("/oidc/token", form=form)
    token = (await response.get_json())["access_token"]
    assert (await api.call("GET", "/organizations", token=token)).status == 401


async def test_status_needs_no_token(api: ManagementApp) -> None:
    answer = await api.call("GET", "/status", token="")
    assert (answer.status, answer.body) == (204, None)


async def test_management_api_is_a_resource_that_cannot_be_changed(api: ManagementApp) -> None:
    [entry] = (await api.get("/resources", includeScopes="true")).body
    assert (entry["indicator"], [scope["name"] for scope in entry["scopes"]]) == (
        "https://default.logto.app/api",
        ["all"],
    )
    assert (await api.call("DELETE", "/resources/management-api")).status == 400
    assert (await api.call("PATCH", "/resources/management-api", {"name": "x"})).status == 400
    assert (await api.call("POST", "/resources/management-api/scopes", {"name": "x"})).status == 400


async def test_people_can_sign_in_by_username_and_by_email_by_default(api: ManagementApp) -> None:
    methods = (await api.get("/sign-in-exp")).body["signIn"]["methods"]
    assert [(method["identifier"], method["password"]) for method in methods] == [
        ("username", True),
        ("email", True),
    ]


async def test_second_start_keeps_changed_settings(api: ManagementApp, tmp_path: Path) -> None:
    await api.call("PATCH", "/sign-in-exp", {"signInMode": "SignIn"})
    seed(api.store, Settings(data_dir=tmp_path))
    assert (await api.get("/sign-in-exp")).body["signInMode"] == "SignIn"
    with api.store.begin() as connection:
        for table, expected in ((resources, 1), (configs, 3)):
            count = connection.scalar(sa.select(sa.func.count()).select_from(table))
            assert count == expected, table.name
        secret = connection.scalar(sa.select(application_secrets.c.value))
    assert secret == MANAGEMENT_SECRET


async def test_configured_secret_replaces_the_stored_one(api: ManagementApp, tmp_path: Path) -> None:
    seed(api.store, Settings(data_dir=tmp_path, management_app_secret="another"))
    [secret] = (await api.get("/applications/m-default/secrets")).body
    assert secret["value"] == "another"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (
            {"signUp": {"identifiers": ["email"], "password": True, "verify": False}},
            "sign_in_experiences.passwordless_requires_verify",
        ),
        (
            {"signUp": {"identifiers": ["username"], "password": False, "verify": False}},
            "sign_in_experiences.username_requires_password",
        ),
        (
            {
                "signUp": {"identifiers": ["email"], "password": False, "verify": True},
                "signIn": {"methods": [EMAIL_AND_PASSWORD]},
            },
            "sign_in_experiences.code_sign_in_must_be_enabled",
        ),
        ({"signInMode": "Sometimes"}, "guard.invalid_input"),
    ],
)
async def test_sign_in_settings_that_cannot_work_are_refused(
    api: ManagementApp, changes: object, code: str
) -> None:
    answer = await api.call("PATCH", "/sign-in-exp", changes)
    assert answer.refusal == (400, code)


async def test_id_token_claims_can_be_replaced(api: ManagementApp) -> None:
    wanted = {"enabledExtendedClaims": ["organization_data"]}
    assert (await api.call("PUT", "/configs/id-token", wanted)).body == wanted
    assert (await api.get("/configs/id-token")).body == wanted
    unknown = {"enabledExtendedClaims": ["shoe_size"]}
    assert (await api.call("PUT", "/configs/id-token", unknown)).status == 400
