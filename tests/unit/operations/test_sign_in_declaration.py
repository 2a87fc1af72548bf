"""``connectors.toml``: valid declarations, and errors that name the key and the broken rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from saas_app.identity.offered_methods import OfferedMethods, SocialButton
from saas_app.operations.sign_in_methods.declaration import (
    find_declaration,
    load_declaration,
    offered_methods,
)
from saas_app.operations.sign_in_methods.model import Declaration, Usage
from tests.databases import ROOT
from tests.unit.operations.connectors_example import ENVIRONMENT, EXAMPLE, changed, refusal

DEMO = ROOT / "saas_app" / "demo" / "connectors.toml"


def test_the_example_is_valid_and_has_every_usage_in_english_and_spanish() -> None:
    declaration = load_declaration(EXAMPLE, ENVIRONMENT)

    mailgun, gatewayapi = declaration.connectors.mailgun, declaration.connectors.gatewayapi
    assert mailgun is not None
    assert gatewayapi is not None
    assert {usage: set(texts) for usage, texts in mailgun.templates.items()} == {
        usage: {"en", "es"} for usage in Usage
    }
    assert set(gatewayapi.templates) == set(Usage) - {Usage.ORGANIZATION_INVITATION}
    assert mailgun.api_key.get_secret_value() == "hush-mailgun"


def test_the_demo_needs_no_account_of_a_provider() -> None:
    declaration = load_declaration(DEMO, {})

    assert declaration.connectors.mock_email is not None
    assert declaration.connectors.mock_sms is not None
    assert declaration.proofs_of("username") == ("password",)


@pytest.mark.parametrize(
    ("old", "new", "key", "rule"),
    [
        ('endpoint = "https://api.mailgun.net" ', 'endpoint = "https://api.mailgun.net/" ',
         "connectors.mailgun-email.endpoint", "ends in .mailgun.net"),
        ('endpoint = "https://api.mailgun.net" ', 'endpoint = "http://localhost:1" ',
         "connectors.mailgun-email.endpoint", "ends in .mailgun.net"),
        ('domain = "mg.example.com"', 'domain = "https://mg.example.com"',
         "connectors.mailgun-email.domain", "only a domain name"),
        ('from = "Workroom <no-reply@mg.example.com>"', 'from = "Workroom"',
         "connectors.mailgun-email.from", "Name <address@example.com>"),
        ('"https://gatewayapi.com/rest/mtsms"', '"gatewayapi.com"',
         "connectors.gatewayapi-sms.endpoint", "absolute http or https URL"),
        ('sender = "Workroom" ', 'sender = "Workroom of Example" ',
         "connectors.gatewayapi-sms.sender", "up to 11 letters"),
        ('id = "naver-example-com" ', 'id = "naver/1" ', "connectors.naver-universal.id", "letters, digits"),
        ('fallback = "en" ', 'fallback = "English" ', "language.fallback", "a language tag"),
        ('[language]\nfallback = "en"                # for people who read none of the languages below\n'
         "auto_detect = true             # follow the browser's settings\n", "",
         "language.fallback", "is missing"),
        ('username = ["password"]', 'username = ["password", "code"]',
         "sign_in.methods.username", "must not include 'code'"),
        ('username = ["password"]', "username = []", "sign_in.methods.username", "'password', 'code'"),
        ('username = ["password"]\nemail = ["code", "password"]\nphone = ["code", "password"]\n', "",
         "sign_in.methods", "at least one"),
        ('also = [] ', 'also = ["email"] ', "sign_up.also", "must not ask for the same identifier twice"),
        ('also = [] ', 'also = ["emailOrPhone"] ', "sign_up.also", "must not ask for the same identifier"),
        ("verify = true  ", "verify = false  ", "sign_up.verify", "must be true"),
        ('buttons = ["naver"] ', 'buttons = ["naver", "kakao"] ',
         "social.buttons", "'kakao' has no connector"),
        ('buttons = ["naver"] ', 'buttons = ["naver", "naver"] ', "social.buttons", "each item only once"),
        ('factors = ["Totp", "BackupCode"] ', 'factors = ["BackupCode"] ', "mfa.factors", "another factor"),
        ('factors = ["Totp", "BackupCode"] ', 'factors = ["Totp", "Totp"] ', "mfa.factors", "item only once"),
        ('factors = ["Totp", "BackupCode"] ', 'factors = ["Totp", "EmailVerificationCode"] ',
         "mfa.factors", "must not include EmailVerificationCode if sign_in.methods.email includes 'code'"),
        ('factors = ["Totp", "BackupCode"] ', 'factors = ["Totp", "PhoneVerificationCode"] ',
         "mfa.factors", "must not include PhoneVerificationCode if sign_in.methods.phone includes 'code'"),
        ('factors = ["Totp", "BackupCode"] ', "factors = [] ", "mfa.organizations", "needs Totp or WebAuthn"),
        ('policy = "NoPrompt"  ', 'policy = "PromptOnlyAtSignInMandatory"  ',
         "mfa.policy", "Input should be"),
        ("expires_after = 600", "expires_after = 59", "verification_code.expires_after", "from 60 to 3600"),
        ("expires_after = 600", "expires_after = 3601", "verification_code.expires_after", "from 60 to 3600"),
        ("max_attempts = 10 ", "max_attempts = 0 ", "verification_code.max_attempts", "from 1 to 100"),
        ("max_attempts = 10 ", "max_attempts = 101 ", "verification_code.max_attempts", "from 1 to 100"),
        ("max_attempts = 100 ", "max_attempts = 0 ", "lockout.max_attempts", "from 1 to 1000"),
        ("minutes = 60 ", "minutes = 0 ", "lockout.minutes", "from 1 to 1440"),
        ("max_attempts = 10 ", "max_tries = 10 ", "verification_code.max_tries", "is not a known key"),
        ('domain = "mg.example.com"\n', "", "connectors.mailgun-email.domain", "is missing"),
        ("[connectors.naver-universal]", "[connectors.naver]", "connectors.naver", "is not a known key"),
        ("templates.SignIn.en]", "templates.SignInn.en]",
         "connectors.mailgun-email.templates.SignInn", "should be"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_reported_with_its_key(
    tmp_path: Path, old: str, new: str, key: str, rule: str
) -> None:
    error = refusal(changed(tmp_path, (old, new)))

    assert f"{key}: " in error
    assert rule in error.partition(f"{key}: ")[2]


@pytest.mark.parametrize(
    ("old", "new", "key", "rule"),
    [
        ("<p>Your Workroom code:</p><p><strong>{{code}}</strong></p>", "<p>Your Workroom code</p>",
         "mailgun-email.templates.Generic.en.html", "must include {{code}}"),
        ("Your Workroom code: {{code}}\n", "Your Workroom code\n",
         "mailgun-email.templates.Generic.en.text", "must include {{code}}"),
        ("See the invitation: {{link}}", "See the invitation: {{link}} {{code}}",
         "mailgun-email.templates.OrganizationInvitation.en.text", "must not include {{code}}"),
        ("See the invitation: {{link}}", "See the invitation",
         "mailgun-email.templates.OrganizationInvitation.en.text", "must include {{link}}"),
        ("You are invited to an organization on", "You are invited to {{organization.name}} on",
         "mailgun-email.templates.OrganizationInvitation.en.html", "Logto does not escape values"),
        ('subject = "{{code}} is your Workroom code"', 'subject = "{{code}} for {{organization.name}}"',
         "mailgun-email.templates.Generic.en.subject", "must not include {{organization}}"),
        ('subject = "{{code}} is your Workroom code"\n', "",
         "mailgun-email.templates.Generic.en.subject", "is missing"),
        ("[connectors.mailgun-email.templates.Generic.en]", "[connectors.mailgun-email.templates.Generic.fr]",
         "mailgun-email.templates.Generic.en", "the fallback language must have every text"),
        ('"{{code}} is your Workroom code. / {{code}} es tu clave de Workroom."', '"Hello"',
         "gatewayapi-sms.templates.Generic", "must include {{code}}"),
        ("es tu clave de Workroom.", "es tu código de Workroom.",
         "gatewayapi-sms.templates.Generic", "GSM 03.38 alphabet, which does not have 'ó'"),
        ("es tu clave de Workroom.", "es tu clave de {{application.name}}.",
         "gatewayapi-sms.templates.Generic", "must not include {{application}}"),
    ],
)  # fmt: skip
def test_a_template_that_would_be_sent_wrongly_is_rejected(
    tmp_path: Path, old: str, new: str, key: str, rule: str
) -> None:
    error = refusal(changed(tmp_path, (old, new)))

    assert rule in error.partition(f"connectors.{key}: ")[2]


@pytest.mark.parametrize("usage", ["Register", "SignIn", "ForgotPassword", "Generic"])
def test_gatewayapi_needs_the_four_templates_that_logto_requires(tmp_path: Path, usage: str) -> None:
    (line,) = [line for line in EXAMPLE.read_text().splitlines() if line.startswith(f'{usage} = "')]

    error = refusal(changed(tmp_path, (f"{line}\n", "")))

    assert error.endswith(f"connectors.gatewayapi-sms.templates.{usage}: is missing: Logto requires it.")


@pytest.mark.parametrize(
    ("usage", "rule"),
    [
        ("Generic", "for every usage without its own text"),
        ("OrganizationInvitation", "without a value for {{code}}"),
    ],
)
def test_an_email_connector_needs_generic_and_invitation_templates(
    tmp_path: Path, usage: str, rule: str
) -> None:
    path = f"connectors.mailgun-email.templates.{usage}"
    other = "[connectors.mailgun-email.templates.BindMfa"

    error = refusal(
        changed(
            tmp_path,
            (f"[{path}.en]", f"{other}.fr]"),
            (f"[{path}.es]", f"{other}.de]"),
        )
    )

    assert rule in error.partition(f"{path}: ")[2]


def test_two_connectors_of_one_type_are_rejected(tmp_path: Path) -> None:
    path = changed(tmp_path)
    demo = DEMO.read_text()
    path.write_text(path.read_text() + "\n" + demo[demo.index("[connectors.mock-email-service]") :])

    assert (
        "connectors.mock-email-service: conflicts with mailgun-email: Logto has only one connector"
        in refusal(path)
    )


def test_a_template_stored_at_mailgun_is_accepted(tmp_path: Path) -> None:
    texts = EXAMPLE.read_text().partition("templates.Generic.en]\n")[2].partition("\n\n[")[0]
    stored = changed(tmp_path, (texts, 'template = "code"'))

    assert load_declaration(stored, ENVIRONMENT).connectors.mailgun is not None


@pytest.mark.parametrize(
    ("language", "rule"),
    [
        ("en", "must be the only key"),
        ("es", "is for Mailgun and the fallback language only"),
    ],
)
def test_a_template_stored_at_mailgun_excludes_texts_and_other_languages(
    tmp_path: Path, language: str, rule: str
) -> None:
    section = f"[connectors.mailgun-email.templates.Generic.{language}]\n"
    both = changed(tmp_path, (section, f'{section}template = "c"\n'))

    assert f"Generic.{language}.template: {rule}" in refusal(both)


def test_missing_environment_variables_are_named() -> None:
    error = refusal(EXAMPLE, {**ENVIRONMENT, "MAILGUN_API_KEY": "", "NAVER_CLIENT_ID": ""})

    assert "connectors.mailgun-email.api_key: the environment variable MAILGUN_API_KEY is not set" in error
    assert (
        "connectors.naver-universal.client_id: the environment variable NAVER_CLIENT_ID is not set" in error
    )
    assert "GATEWAYAPI_TOKEN" not in error


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    broken = changed(
        tmp_path,
        ('domain = "mg.example.com"', 'domain = "${MAILGUN_DOMAIN}"'),
        ("expires_after = 600", "expires_after = 59"),
    )
    assert refusal(broken, {**ENVIRONMENT, "NAVER_CLIENT_ID": ""}) == (
        f"{broken}: "
        "connectors.naver-universal.client_id: the environment variable NAVER_CLIENT_ID is not set; "
        "connectors.mailgun-email.domain: the environment variable MAILGUN_DOMAIN is not set; "
        "verification_code.expires_after: must be from 60 to 3600."
    )


def test_missing_variables_are_reported_with_unknown_keys(tmp_path: Path) -> None:
    misshapen = changed(tmp_path, ("max_attempts = 10 ", "max_tries = 10 "))
    error = refusal(misshapen, {**ENVIRONMENT, "GATEWAYAPI_TOKEN": ""})
    assert (
        "connectors.gatewayapi-sms.api_token: the environment variable GATEWAYAPI_TOKEN is not set" in error
    )
    assert "verification_code.max_tries: is not a known key" in error


def test_a_secret_in_the_file_is_rejected_and_not_repeated(tmp_path: Path) -> None:
    error = refusal(changed(tmp_path, ('"${MAILGUN_API_KEY}"', '"key-1234"')))

    assert "connectors.mailgun-email.api_key: must name an environment variable" in error
    assert "key-1234" not in error


def test_a_secret_under_a_wrong_name_is_not_repeated(tmp_path: Path) -> None:
    error = refusal(changed(tmp_path, ("api_key = ", "api_kei = ")))

    assert "connectors.mailgun-email.api_kei: is not a known key" in error
    assert "hush" not in error


def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(load_declaration(EXAMPLE, ENVIRONMENT))


@pytest.mark.parametrize(
    ("content", "message"), [(b"[sign_in\n", "is not valid TOML"), (b"\xff\xfe", "it is not UTF-8 text")]
)
def test_a_file_that_is_not_toml_is_rejected(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "connectors.toml"
    path.write_bytes(content)

    assert message in refusal(path)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    assert "Cannot read" in refusal(tmp_path / "none.toml")


def test_an_empty_file_declares_nothing(tmp_path: Path) -> None:
    path = tmp_path / "connectors.toml"
    path.touch()

    assert load_declaration(path, {}) == Declaration()
    assert offered_methods(path) == OfferedMethods()


@pytest.fixture
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_empty_folder")
def test_without_a_file_nothing_is_declared() -> None:
    assert find_declaration({}) is None


@pytest.mark.usefixtures("_empty_folder")
@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, Path("connectors.toml")),
        ({"CONNECTORS_FILE": "other.toml"}, Path("other.toml")),
        ({"CONNECTORS_FILE": ""}, None),
    ],
    ids=["not set", "another file", "no file"],
)
def test_connectors_file_overrides_the_file_in_the_working_directory(
    environment: dict[str, str], found: Path | None
) -> None:
    Path("connectors.toml").touch()
    assert find_declaration(environment) == found


def test_the_methods_offered_on_the_front_page_are_read_without_secrets() -> None:
    everything = OfferedMethods(email_code=True, sms_code=True, social=(SocialButton("naver", "Naver"),))
    assert offered_methods(EXAMPLE) == everything


def test_the_front_page_offers_only_declared_methods(tmp_path: Path) -> None:
    less = changed(
        tmp_path,
        ('phone = ["code", "password"]', 'phone = ["password"]'),
        ('buttons = ["naver"] ', "buttons = [] "),
    )
    assert offered_methods(less) == OfferedMethods(email_code=True)


def test_the_front_page_offers_no_codes_where_the_password_comes_first(tmp_path: Path) -> None:
    by_password = changed(tmp_path, ('email = ["code", "password"]', 'email = ["password", "code"]'))
    assert not offered_methods(by_password).email_code
    assert offered_methods(by_password).sms_code


def test_without_a_declaration_the_front_page_offers_no_other_methods() -> None:
    assert offered_methods(None) == OfferedMethods()
