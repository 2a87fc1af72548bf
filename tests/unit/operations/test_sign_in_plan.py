"""Declared sign-in methods compared with those in Logto: differences by name, and never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from saas_app.errors import ConfigurationError
from saas_app.logto import Connector, EmailTemplate
from saas_app.operations.provisioning import Action, Change, Deployment, Found, Kind, drift, plan
from saas_app.operations.provisioning.sign_in_plan import plan_sign_in, wanted_experience
from saas_app.operations.sign_in_methods.connector_configs import connectors_of, email_templates_of
from saas_app.operations.sign_in_methods.declaration import load_declaration
from saas_app.operations.sign_in_methods.model import Declaration
from saas_app.operations.sign_in_methods.sign_in_experience import sign_in_experience_of
from tests.unit.operations.connectors_example import ENVIRONMENT, EXAMPLE

DECLARATION = load_declaration(EXAMPLE, ENVIRONMENT)
TYPES = {"mailgun-email": "Email", "gatewayapi-sms": "Sms", "naver-universal": "Social"}
SEEDED = {
    "languageInfo": {"autoDetect": True, "fallbackLanguage": "en"},
    "signIn": {"methods": []},
    "signUp": {"identifiers": ["username"], "password": True, "verify": False},
    "socialSignIn": {},
    "socialSignInConnectorTargets": [],
    "mfa": {"factors": [], "policy": "UserControlled"},
    "verificationCodePolicy": {},
    "forgotPasswordMethods": [],
    "signInMode": "SignInAndRegister",
    "color": {"primaryColor": "#123456"},
}


def up_to_date_logto() -> Found:
    """Return a Logto in which everything is as declared."""
    return Found(
        connectors=tuple(
            Connector(
                id=f"id {declared.factory}",
                factory=declared.factory,
                type=TYPES[declared.factory],
                target={"naver-universal": "naver"}.get(declared.factory, declared.factory),
                config=declared.config,
            )
            for declared in connectors_of(DECLARATION)
        ),
        email_templates=tuple(
            EmailTemplate(language=template.language, usage=template.usage, details=template.details)
            for template in email_templates_of(DECLARATION)
            if template.language == "es"
        ),
        sign_in_experience=SEEDED | sign_in_experience_of(DECLARATION, SEEDED, frozenset()),
    )


def connector(id_: str, factory: str, type_: str, target: str, config: dict[str, str]) -> Connector:
    return Connector(id=id_, factory=factory, type=type_, target=target, config=config)


def only_drift(found: Found, declaration: Declaration = DECLARATION) -> Change:
    """Return the one change in the plan."""
    (change,) = drift(plan_sign_in(declaration, found))
    return change


def with_config(found: Found, factory: str, config: Mapping[str, object]) -> Found:
    connectors = tuple(
        one.model_copy(update={"config": config}) if one.factory == factory else one
        for one in found.connectors
    )
    return replace(found, connectors=connectors)


def config_of(factory: str) -> dict[str, object]:
    (declared,) = (one for one in connectors_of(DECLARATION) if one.factory == factory)
    return dict(declared.config)


def test_an_empty_logto_gets_connectors_then_templates_then_the_sign_in_experience() -> None:
    changes = list(plan_sign_in(DECLARATION, Found(sign_in_experience=SEEDED)))

    assert [change.kind for change in changes] == sorted(
        (change.kind for change in changes), key=list(Kind).index
    )
    assert [change.name for change in changes if change.kind is Kind.CONNECTOR] == list(TYPES)
    assert {change.name for change in changes if change.kind is Kind.EMAIL_TEMPLATE} == {
        f"{template.usage} (es)" for template in email_templates_of(DECLARATION)
    }
    assert {change.action for change in changes[:-1]} == {Action.CREATE}
    assert changes[-1].detail == (
        "forgotPasswordMethods, signIn, signUp, mfa, socialSignIn, socialSignInConnectorTargets, "
        "verificationCodePolicy, sentinelPolicy"
    )


def test_nothing_is_written_if_nothing_differs() -> None:
    assert drift(plan_sign_in(DECLARATION, up_to_date_logto())) == ()


DEPLOYMENT = Deployment("https://work.example", "https://api.workroom.example")
OF_SIGN_IN_METHODS = {Kind.CONNECTOR, Kind.EMAIL_TEMPLATE, Kind.SIGN_IN_EXPERIENCE}


def test_declared_sign_in_methods_are_part_of_the_plan() -> None:
    declared = replace(DEPLOYMENT, sign_in_methods=DECLARATION)
    assert {change.kind for change in plan(declared, Found())} >= OF_SIGN_IN_METHODS


def test_without_a_declaration_no_sign_in_methods_are_planned() -> None:
    assert not OF_SIGN_IN_METHODS & {change.kind for change in plan(DEPLOYMENT, Found())}


@pytest.mark.parametrize(
    ("factory", "key", "detail"),
    [
        ("mailgun-email", "apiKey", "apiKey differs"),
        ("mailgun-email", "domain", "domain differs"),
        ("gatewayapi-sms", "apiToken", "apiToken differs"),
        ("naver-universal", "clientSecret", "clientSecret differs"),
    ],
)
def test_a_setting_that_differs_is_reported_by_name_without_its_value(
    factory: str, key: str, detail: str
) -> None:
    found = with_config(up_to_date_logto(), factory, config_of(factory) | {key: "hush-theirs"})

    change = only_drift(found)

    assert change == Change(Kind.CONNECTOR, factory, Action.UPDATE, detail)


def test_a_template_that_differs_is_reported_by_its_usage() -> None:
    config = config_of("gatewayapi-sms")
    templates = config["templates"]
    assert isinstance(templates, list)
    altered = [
        entry | {"content": "{{code}}"} if entry["usageType"] == "SignIn" else entry for entry in templates
    ]

    found = with_config(up_to_date_logto(), "gatewayapi-sms", config | {"templates": altered[::-1]})

    assert only_drift(found).detail == "templates.SignIn differs"


def test_a_setting_that_is_not_declared_is_drift() -> None:
    found = with_config(up_to_date_logto(), "mailgun-email", config_of("mailgun-email") | {"left": "over"})

    assert only_drift(found).detail == "left differs"


def test_a_naver_connector_that_updates_profiles_against_the_declaration_is_drift() -> None:
    found = up_to_date_logto()
    connectors = tuple(
        one.model_copy(update={"sync_profile": True}) if one.factory == "naver-universal" else one
        for one in found.connectors
    )

    assert only_drift(replace(found, connectors=connectors)).detail == "syncProfile differs"


def test_a_replaced_email_connector_is_named() -> None:
    found = up_to_date_logto()
    theirs = connector("x", "sendgrid-email-service", "Email", "sendgrid", {"apiKey": "hush"})
    connectors = tuple(one for one in found.connectors if one.factory != "mailgun-email")

    change = only_drift(replace(found, connectors=(*connectors, theirs)))

    assert (change.action, change.detail) == (Action.CREATE, "in place of sendgrid-email-service")


def test_undeclared_social_connectors_keep_their_buttons() -> None:
    found = up_to_date_logto()
    google = connector("g", "google-universal", "Social", "google", {"clientSecret": "hush"})
    experience = {**found.sign_in_experience, "socialSignInConnectorTargets": ["naver", "google"]}
    theirs = replace(found, connectors=(*found.connectors, google), sign_in_experience=experience)

    assert drift(plan_sign_in(DECLARATION, theirs)) == ()


def test_undeclared_keys_of_a_setting_are_kept() -> None:
    found = up_to_date_logto()
    mfa = {"factors": [], "policy": "Mandatory", "organizationRequiredMfaPolicy": "Mandatory"}
    experience = {**found.sign_in_experience, "mfa": mfa, "verificationCodePolicy": {"maxRetryAttempts": 3}}
    declaration = Declaration.model_validate(
        {
            "mfa": {"factors": ["Totp"]},
            "verification_code": {"expires_after": 300},
            "lockout": {"minutes": 5},
        }
    )

    wanted = wanted_experience(declaration, replace(found, sign_in_experience=experience))

    assert wanted == {
        "mfa": {"factors": ["Totp"], "policy": "Mandatory", "organizationRequiredMfaPolicy": "Mandatory"},
        "verificationCodePolicy": {"expirationDuration": 300, "maxRetryAttempts": 3},
        "sentinelPolicy": {"maxAttempts": 100, "lockoutDuration": 5},
    }


def test_the_first_declared_proof_is_the_primary_one() -> None:
    signing_in = wanted_experience(DECLARATION, Found())["signIn"]

    assert signing_in == {
        "methods": [
            {
                "identifier": "username",
                "password": True,
                "verificationCode": False,
                "isPasswordPrimary": True,
            },
            {"identifier": "email", "password": True, "verificationCode": True, "isPasswordPrimary": False},
            {"identifier": "phone", "password": True, "verificationCode": True, "isPasswordPrimary": False},
        ]
    }


def test_connectors_hold_the_templates_of_the_fallback_language_as_html_and_text() -> None:
    deliveries = config_of("mailgun-email")["deliveries"]

    assert isinstance(deliveries, dict)
    assert set(deliveries["SignIn"]) == {"subject", "html", "text"}
    assert "code to sign in" in deliveries["SignIn"]["text"]


def test_a_stored_template_in_the_fallback_language_is_overwritten() -> None:
    found = up_to_date_logto()
    generic = EmailTemplate(
        language="en", usage="Generic", details={"subject": "theirs", "content": "theirs {{code}}"}
    )

    changes = drift(
        plan_sign_in(DECLARATION, replace(found, email_templates=(*found.email_templates, generic)))
    )

    english = {template.usage for template in email_templates_of(DECLARATION) if template.language == "en"}
    assert {change.name for change in changes} == {f"{usage} (en)" for usage in english}
    assert {change.action for change in changes if change.name == "Generic (en)"} == {Action.UPDATE}


def test_a_stored_template_that_hides_one_at_mailgun_must_be_deleted_in_logto() -> None:
    document = DECLARATION.model_dump(by_alias=True)
    document["connectors"]["mailgun-email"]["templates"]["SignIn"]["en"] = {"template": "sign-in"}
    found = replace(
        up_to_date_logto(), email_templates=(EmailTemplate(language="en", usage="Generic", details={}),)
    )

    with pytest.raises(ConfigurationError, match=r"'en' \(Generic\).*delete them in Logto"):
        list(plan_sign_in(Declaration.model_validate(document), found))


def test_no_change_or_record_shows_a_secret() -> None:
    found = with_config(up_to_date_logto(), "mailgun-email", {"apiKey": "hush-theirs"})

    shown = repr(list(plan_sign_in(DECLARATION, found))) + repr(found) + repr(connectors_of(DECLARATION))

    assert "hush" not in shown
