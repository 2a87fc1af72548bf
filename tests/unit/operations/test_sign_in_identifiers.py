"""``connectors.toml``: identifiers, passwords and factors that need a connector or each other."""

from __future__ import annotations

from pathlib import Path

from saas_app.operations.sign_in_methods.declaration import (
    load_declaration,
)
from tests.unit.operations.connectors_example import ENVIRONMENT, changed, refusal


def without_senders(directory: Path, *changes: tuple[str, str]) -> Path:
    """Return a copy of the example in which Naver is the only connector."""
    path = changed(directory, *changes)
    path.write_text(path.read_text().partition("# --- GatewayAPI")[0])
    return path


def test_codes_need_a_connector(tmp_path: Path) -> None:
    error = refusal(without_senders(tmp_path))

    for key, kind in {
        "sign_in.methods.email": "an email",
        "sign_in.methods.phone": "an SMS",
        "sign_in.forgot_password": "an email",
        "sign_up.identifiers": "an email",
    }.items():
        assert f"{key}: needs {kind} connector under [connectors]" in error


def test_factors_by_code_need_a_connector(tmp_path: Path) -> None:
    path = without_senders(
        tmp_path,
        ('email = ["code", "password"]\nphone = ["code", "password"]\n', ""),
        ('forgot_password = ["email", "phone"]', "forgot_password = []"),
        ('identifiers = ["email"] ', 'identifiers = ["username"] '),
        ('factors = ["Totp", "BackupCode"] ', 'factors = ["Totp", "PhoneVerificationCode"] '),
    )

    assert refusal(path).endswith("mfa.factors: needs an SMS connector under [connectors] to send the codes.")


NO_PASSWORD = ("password = true                # false: codes only", "password = false")


def test_accounts_without_passwords_are_accepted_if_they_sign_in_by_code(tmp_path: Path) -> None:
    load_declaration(changed(tmp_path, NO_PASSWORD), ENVIRONMENT)


def test_accounts_without_passwords_must_sign_in_by_code(tmp_path: Path) -> None:
    error = refusal(changed(tmp_path, NO_PASSWORD, ('email = ["code", "password"]', 'email = ["password"]')))

    assert "sign_in.methods.email: must include 'code': sign_up.password is false" in error


def test_usernames_require_passwords(tmp_path: Path) -> None:
    error = refusal(
        changed(tmp_path, NO_PASSWORD, ('identifiers = ["email"] ', 'identifiers = ["username"] '))
    )

    assert "sign_up.password: must be true" in error


def test_an_additional_identifier_needs_a_first_one(tmp_path: Path) -> None:
    error = refusal(
        changed(
            tmp_path, ('identifiers = ["email"] ', "identifiers = [] "), ("also = [] ", 'also = ["phone"] ')
        )
    )

    assert "sign_up.also: needs an identifier" in error
