"""``saas-app doctor``: no findings when everything works, and a remedy for each broken part.

Faults are set up through the command's environment, or in Logto through its Management API.
"""

from __future__ import annotations

from pathlib import Path

import saas_app.demo
from tests.integration.operations.doctor.installation import Installation, doctor

DEMO_METHODS = Path(saas_app.demo.__file__).with_name("connectors.toml")


def test_a_working_installation_has_no_findings(installation: Installation) -> None:
    report = installation.doctor()

    assert (report.exit_code, report.failed) == (0, {}), report.output
    for name in (
        "settings", "sign-in methods", "database", "redis", "email", "address", "endpoint", "issuer", "clock",
        "Management API", "application", "back-channel logout", "template", "webhook",
    ):  # fmt: skip
        assert f"\nok      {name:<15} " in f"\n{report.output}"
    assert "single sign-on" not in report.output
    assert "not used" in report.output
    assert "/backchannel-logout is registered; Logto 1.42 does not call private addresses" in report.output


def test_no_secret_is_printed(installation: Installation) -> None:
    for report in (
        installation.doctor(),
        installation.doctor(LOGTO_APP_SECRET="wrong-one", LOGTO_WEBHOOK_SIGNING_KEY="x1y2z3"),
    ):
        for name in ("LOGTO_APP_SECRET", "LOGTO_MANAGEMENT_APP_SECRET", "LOGTO_WEBHOOK_SIGNING_KEY"):
            assert installation.stored[name] not in report.output
        assert "wrong-one" not in report.output
        assert "x1y2z3" not in report.output


def test_missing_settings_are_named_and_the_rest_is_checked(installation: Installation) -> None:
    report = installation.doctor(APP_ENCRYPTION_KEYS="")

    assert report.exit_code == 1
    assert list(report.failed) == ["settings"]
    assert "APP_ENCRYPTION_KEYS is not set" in report.failed["settings"]
    assert "→ saas-app provision --write-env .env" in report.failed["settings"]


def test_a_missing_logto_endpoint_is_reported() -> None:
    report = doctor()

    assert "LOGTO_ENDPOINT is not set" in report.failed["endpoint"]


def test_a_malformed_url_is_named(installation: Installation) -> None:
    assert "APP_URL must be an absolute" in installation.doctor(APP_URL="workroom").failed["deployment"]


def test_a_database_without_migrations_is_reported(installation: Installation, tmp_path: Path) -> None:
    found = installation.doctor(**only_database(tmp_path / "none.db")).failed
    assert "at no migration" in found["database"]
    assert "→ saas-app migrate" in found["database"]


def test_an_unusable_database_is_reported(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "no.db").write_text("This is a letter and no database. " * 40)
    found = installation.doctor(**only_database(tmp_path / "no.db")).failed
    assert "Cannot use the database" in found["database"]
    assert "correct DATABASE_URL" in found["database"]


def only_database(path: Path) -> dict[str, str]:
    """Return the settings of a SQLite file that all roles use."""
    return {
        "DATABASE_URL": f"sqlite+aiosqlite:///{path}",
        "DATABASE_OWNER_URL": "",
        "DATABASE_JOBS_URL": "",
    }


def test_invalid_sign_in_methods_are_reported(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "connectors.toml"
    file.write_text('[sign_in.methods]\nemail = ["code"]\n')

    report = installation.doctor(CONNECTORS_FILE=str(file))

    assert list(report.failed) == ["sign-in methods"]
    assert "sign_in.methods.email" in report.failed["sign-in methods"]


def test_sign_in_methods_that_logto_does_not_have_yet_are_reported(installation: Installation) -> None:
    report = installation.doctor("--connectors", str(DEMO_METHODS))

    assert set(report.failed) >= {"connectors", "sign-in page"}, report.output
    assert "mock-email-service" in report.failed["connectors"]
    assert "→ saas-app provision" in report.failed["sign-in page"]
