"""``connectors.toml``: what is understood, and what is refused by the name of the key and the rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from saas_app.errors import ConfigurationError
from saas_app.identity.offered_methods import OfferedMethods, SocialButton
from saas_app.operations.sign_in_methods.declaration import (
    find_declaration,
    load_declaration,
    offered_methods,
)
from saas_app.operations.sign_in_methods.model import Declaration, Usage

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "connectors.toml.example"
DEMO = ROOT / "saas_app" / "demo" / "connectors.toml"
ENVIRONMENT = {
    "MAILGUN_API_KEY": "hush-mailgun",
    "GATEWAYAPI_TOKEN": "hush-gatewayapi",
    "NAVER_CLIENT_ID": "naver-client",
    "NAVER_CLIENT_SECRET": "hush-naver",
}


def changed(directory: Path, *changes: tuple[str, str]) -> Path:
    """The example with something else in it."""
    text = EXAMPLE.read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{text.count(old)} times in the example: {old}"
        text = text.replace(old, new)
    path = directory / "connectors.toml"
    path.write_text(text)
    return path


def refusal(path: Path, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_declaration(path, ENVIRONMENT if environment is None else environment)
    return str(caught.value)


def test_the_example_is_in_order_and_has_every_usage_in_english_and_spanish() -> None:
    declaration = load_declaration(EXAMPLE, ENVIRONMENT)

    mailgun, gatewayapi = declaration.connectors.mailgun, declaration.connectors.gatewayapi
    assert mailgun is not None
    assert gatewayapi is not None
    assert {usage: set(texts) for usage, texts in mailgun.templates.items()} == {
        usage: {"en", "es"} for usage in Usage
    }
    assert set(gatewayapi.templates) == set(Usage) - {Usage.ORGANIZATION_INVITATION}
    assert mailgun.api_key.get_secret_value() == "hush-mailgun"


def test_the_demo_needs_no_account_anywhere() -> None:
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
        ('[language]\nfallback = "en"                # for who reads none of the languages below\n'
         "auto_detect = true             # by the browser's settings\n", "",
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
         "mfa.policy", "input should be"),
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
def test_a_broken_rule_is_told_by_its_key(tmp_path: Path, old: str, new: str, key: str, rule: str) -> None:
    said = refusal(changed(tmp_path, (old, new)))

    assert f"{key}: " in said
    assert rule in said.partition(f"{key}: ")[2]


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
def test_a_text_that_would_be_sent_wrongly_is_refused(
    tmp_path: Path, old: str, new: str, key: str, rule: str
) -> None:
    said = refusal(changed(tmp_path, (old, new)))

    assert rule in said.partition(f"connectors.{key}: ")[2]


@pytest.mark.parametrize("usage", ["Register", "SignIn", "ForgotPassword", "Generic"])
def test_gatewayapi_has_the_four_texts_that_logto_requires(tmp_path: Path, usage: str) -> None:
    (line,) = [line for line in EXAMPLE.read_text().splitlines() if line.startswith(f'{usage} = "')]

    said = refusal(changed(tmp_path, (f"{line}\n", "")))

    assert said.endswith(f"connectors.gatewayapi-sms.templates.{usage}: is missing: Logto requires it.")


@pytest.mark.parametrize(
    ("usage", "rule"),
    [
        ("Generic", "for every usage without its own text"),
        ("OrganizationInvitation", "without a value for {{code}}"),
    ],
)
def test_an_email_connector_has_what_others_fall_back_to_and_its_own_invitation(
    tmp_path: Path, usage: str, rule: str
) -> None:
    path = f"connectors.mailgun-email.templates.{usage}"
    other = "[connectors.mailgun-email.templates.BindMfa"

    said = refusal(
        changed(
            tmp_path,
            (f"[{path}.en]", f"{other}.fr]"),
            (f"[{path}.es]", f"{other}.de]"),
        )
    )

    assert rule in said.partition(f"{path}: ")[2]


def without_senders(directory: Path, *changes: tuple[str, str]) -> Path:
    """The example with Naver as its only connector."""
    path = changed(directory, *changes)
    path.write_text(path.read_text().partition("# --- GatewayAPI")[0])
    return path


def test_codes_need_a_connector_to_be_sent_by(tmp_path: Path) -> None:
    said = refusal(without_senders(tmp_path))

    for key, kind in {
        "sign_in.methods.email": "an email",
        "sign_in.methods.phone": "an SMS",
        "sign_in.forgot_password": "an email",
        "sign_up.identifiers": "an email",
    }.items():
        assert f"{key}: needs {kind} connector under [connectors]" in said


def test_factors_by_code_need_a_connector_to_be_sent_by(tmp_path: Path) -> None:
    path = without_senders(
        tmp_path,
        ('email = ["code", "password"]\nphone = ["code", "password"]\n', ""),
        ('forgot_password = ["email", "phone"]', "forgot_password = []"),
        ('identifiers = ["email"] ', 'identifiers = ["username"] '),
        ('factors = ["Totp", "BackupCode"] ', 'factors = ["Totp", "PhoneVerificationCode"] '),
    )

    assert refusal(path).endswith("mfa.factors: needs an SMS connector under [connectors] to send the codes.")


def test_accounts_without_a_password_sign_in_by_code(tmp_path: Path) -> None:
    no_password = ("password = true                # false: codes only", "password = false")

    said = refusal(changed(tmp_path, no_password, ('email = ["code", "password"]', 'email = ["password"]')))

    assert "sign_in.methods.email: must include 'code': sign_up.password is false" in said
    load_declaration(changed(tmp_path, no_password), ENVIRONMENT)


def test_a_username_is_proved_with_a_password(tmp_path: Path) -> None:
    said = refusal(
        changed(
            tmp_path,
            ("password = true                # false: codes only", "password = false"),
            ('identifiers = ["email"] ', 'identifiers = ["username"] '),
        )
    )

    assert "sign_up.password: must be true" in said


def test_what_is_asked_for_besides_needs_an_identifier(tmp_path: Path) -> None:
    said = refusal(
        changed(
            tmp_path, ('identifiers = ["email"] ', "identifiers = [] "), ("also = [] ", 'also = ["phone"] ')
        )
    )

    assert "sign_up.also: needs an identifier" in said


def test_there_is_one_connector_of_a_type(tmp_path: Path) -> None:
    path = changed(tmp_path)
    demo = DEMO.read_text()
    path.write_text(path.read_text() + "\n" + demo[demo.index("[connectors.mock-email-service]") :])

    assert (
        "connectors.mock-email-service: conflicts with mailgun-email: Logto has only one connector"
        in refusal(path)
    )


def test_a_template_kept_at_mailgun_stands_alone_and_in_the_fallback_language(tmp_path: Path) -> None:
    generic = "[connectors.mailgun-email.templates.Generic.{}]\nsubject"
    kept = changed(
        tmp_path,
        (
            EXAMPLE.read_text().partition("templates.Generic.en]\n")[2].partition("\n\n[")[0],
            'template = "code"',
        ),
    )
    assert load_declaration(kept, ENVIRONMENT).connectors.mailgun is not None

    both = changed(
        tmp_path, (generic.format("en"), generic.format("en").replace("subject", 'template = "c"\nsubject'))
    )
    assert "Generic.en.template: must be the only key" in refusal(both)
    spanish = changed(
        tmp_path, (generic.format("es"), generic.format("es").replace("subject", 'template = "c"\nsubject'))
    )
    assert "Generic.es.template: is for Mailgun and the fallback language only" in refusal(spanish)


def test_what_the_environment_lacks_is_told_by_name() -> None:
    said = refusal(EXAMPLE, {**ENVIRONMENT, "MAILGUN_API_KEY": "", "NAVER_CLIENT_ID": ""})

    assert "connectors.mailgun-email.api_key: the environment variable MAILGUN_API_KEY is not set" in said
    assert "connectors.naver-universal.client_id: the environment variable NAVER_CLIENT_ID is not set" in said
    assert "GATEWAYAPI_TOKEN" not in said


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
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

    misshapen = changed(tmp_path, ("max_attempts = 10 ", "max_tries = 10 "))
    said = refusal(misshapen, {**ENVIRONMENT, "GATEWAYAPI_TOKEN": ""})
    assert "connectors.gatewayapi-sms.api_token: the environment variable GATEWAYAPI_TOKEN is not set" in said
    assert "verification_code.max_tries: is not a known key" in said


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    said = refusal(changed(tmp_path, ('"${MAILGUN_API_KEY}"', '"key-1234"')))

    assert "connectors.mailgun-email.api_key: must name an environment variable" in said
    assert "key-1234" not in said


def test_a_secret_under_a_wrong_name_is_not_repeated(tmp_path: Path) -> None:
    said = refusal(changed(tmp_path, ("api_key = ", "api_kei = ")))

    assert "connectors.mailgun-email.api_kei: is not a known key" in said
    assert "hush" not in said


def test_secrets_do_not_show() -> None:
    assert "hush" not in repr(load_declaration(EXAMPLE, ENVIRONMENT))


@pytest.mark.parametrize(
    ("content", "says"), [(b"[sign_in\n", "is not valid TOML"), (b"\xff\xfe", "it is not UTF-8 text")]
)
def test_what_cannot_be_read_is_told(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "connectors.toml"
    path.write_bytes(content)

    assert says in refusal(path)
    assert "Cannot read" in refusal(tmp_path / "none.toml")


def test_an_empty_file_declares_nothing(tmp_path: Path) -> None:
    path = tmp_path / "connectors.toml"
    path.touch()

    assert load_declaration(path, {}) == Declaration()
    assert offered_methods(path) == OfferedMethods()


def test_the_file_is_the_named_one_else_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_declaration({}) is None
    Path("connectors.toml").touch()

    assert find_declaration({}) == Path("connectors.toml")
    assert find_declaration({"CONNECTORS_FILE": "other.toml"}) == Path("other.toml")
    assert find_declaration({"CONNECTORS_FILE": ""}) is None


def test_what_the_front_page_offers_needs_no_secrets(tmp_path: Path) -> None:
    everything = OfferedMethods(email_code=True, sms_code=True, social=(SocialButton("naver", "Naver"),))
    assert offered_methods(EXAMPLE) == everything
    less = changed(
        tmp_path,
        ('phone = ["code", "password"]', 'phone = ["password"]'),
        ('buttons = ["naver"] ', "buttons = [] "),
    )
    assert offered_methods(less) == OfferedMethods(email_code=True)
    assert offered_methods(None) == OfferedMethods()
