"""Addresses in settings: how each is normalized, and the sentence that rejects an invalid one."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from saas_app.config import DatabaseSettings, Settings, load_settings
from saas_app.db.connecting import connecting_to
from saas_app.errors import ConfigurationError
from saas_app.operations.deployment import load_deployment_settings

COMPLETE = {
    "APP_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "LOGTO_ENDPOINT": "https://logto.example",
    "LOGTO_APP_ID": "app",
    "LOGTO_APP_SECRET": "secret",
}
_CERTIFICATE = str(Path(__file__).resolve())  # any file that exists


@pytest.fixture(autouse=True)
def _nothing_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "DATABASE_URL", "APP_URL", "APP_PORT", "RATE_LIMIT_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://work.example", "https://work.example"),
        ("HTTPS://Work.Example/", "https://work.example"),
        ("  https://work.example  ", "https://work.example"),
        ("https://work.example:443", "https://work.example"),
        ("http://work.example:80/", "http://work.example"),
        ("http://work.example:443", "http://work.example:443"),
        ("https://work.example.", "https://work.example"),
        ("https://Bücher.example", "https://xn--bcher-kva.example"),
        ("https://例え.jp:8443", "https://xn--r8jz45g.jp:8443"),
        ("http://[0:0::1]:3000", "http://[::1]:3000"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("", "http://localhost:3000"),
    ],
)
def test_app_url_is_normalized(given: str, used: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_URL", given)
    settings = load_settings()
    assert settings.app_url == used
    assert load_deployment_settings().app_url == used
    assert settings.is_tls == used.startswith("https:")


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ("https://work.example/app", "must have no path"),
        ("https://work.example//", "must have no path"),
        ("https://work.example?a=b", "must have no query"),
        ("https://work.example/?", "must have no query"),
        ("https://work.example#top", "must have no fragment"),
        ("https://work.example/#", "must have no fragment"),
        ("https://user:hunter2@work.example", "user name or password"),
        ("https://work.example:99999", "port from 1 to 65535"),
        ("https://work.example:0", "port from 1 to 65535"),
        ("https://work.example:", "port from 1 to 65535"),
        ("https://work.example:x", "port from 1 to 65535"),
        ("work.example", "absolute http or https"),
        ("//work.example", "absolute http or https"),
        ("ftp://work.example", "absolute http or https"),
        ("https://", "absolute http or https"),
        ("https:work.example", "absolute http or https"),
        ('"https://work.example"', "quotation marks"),
        ("https://work.example https://other.example", "contains a space"),
        ("https://work.example\\@evil.example", "a URL cannot have"),
        ("https://[::1", "without a valid IPv6 address"),
        ("https://[work]", "without a valid IPv6 address"),
        ("https://-work.example", "invalid host name"),
        ("https://work..example", "invalid host name"),
        ("https://%77ork.example", "invalid host name"),
        ("https://" + "a" * 64 + ".example", "invalid host name"),
    ],
)
def test_an_app_url_that_is_not_an_origin_is_rejected(
    given: str, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_URL", given)
    for load in (load_settings, load_deployment_settings):
        with pytest.raises(ConfigurationError) as raised:
            load()
        assert "APP_URL" in str(raised.value)
        assert refusal in str(raised.value)
        assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "given", "refusal"),
    [
        ("LOGTO_ENDPOINT", "https://logto.example/oidc", "must have no path"),
        ("LOGTO_ENDPOINT", "logto.example", "absolute http or https"),
        ("LOGTO_API_RESOURCE", "workroom", "absolute URL"),
        ("LOGTO_API_RESOURCE", "https://api.example#v1", "no fragment"),
        ("LOGTO_API_RESOURCE", "https://api.example/a b", "contains a space"),
        ("RATE_LIMIT_STORAGE", "localhost:6379", "redis://host:port/number"),
        ("RATE_LIMIT_STORAGE", "redis://localhost:99999/0", "port from 1 to 65535"),
        ("RATE_LIMIT_STORAGE", "redis://localhost/first", "in a database number"),
        ("RATE_LIMIT_STORAGE", "redis://localhost/0?a=b", "unknown parameter: a"),
        ("ALLOWED_HOSTS", "https://work.example", "invalid host name"),
        ("ALLOWED_HOSTS", "*", "invalid host name"),
    ],
)
def test_other_addresses_are_validated(
    name: str, given: str, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, given)
    with pytest.raises(ConfigurationError, match=name) as raised:
        load_settings()
    assert refusal in str(raised.value)


def test_an_invalid_management_token_endpoint_is_named_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGTO_MANAGEMENT_APP_ID", "id")
    monkeypatch.setenv("LOGTO_MANAGEMENT_APP_SECRET", "secret")
    monkeypatch.setenv("LOGTO_MANAGEMENT_TOKEN_ENDPOINT", "logto.example/oidc/token")
    with pytest.raises(ConfigurationError, match="LOGTO_MANAGEMENT_TOKEN_ENDPOINT must be an absolute"):
        load_settings()


_PG = "postgresql+asyncpg://u:***@h/d"


@pytest.mark.parametrize(
    ("given", "url", "connect_args"),
    [
        ("postgresql+asyncpg://u:p@h/d", _PG, {}),
        ("postgresql://u:p@h/d", _PG, {}),
        ("postgres://u:p@h/d", _PG, {}),
        ("POSTGRESQL://u:p@h/d", _PG, {}),
        ("  postgresql://u:p@h/d\t", _PG, {}),
        ("postgresql://u:p%40%2F@h:5433/d", "postgresql+asyncpg://u:***@h:5433/d", {}),
        ("postgresql://u@[::1]:5432/d", "postgresql+asyncpg://u@[::1]:5432/d", {}),
        ("postgresql:///d", "postgresql+asyncpg:///d", {}),
        ("postgresql://u@/d?host=/run/postgresql", "postgresql+asyncpg://u@/run/postgresql/d", {}),
        ("postgresql://u:p@h/d?sslmode=require", _PG, {"dsn": "postgresql://?sslmode=require"}),
        ("postgresql://u:p@h/d?ssl=disable", _PG, {"dsn": "postgresql://?sslmode=disable"}),
        (
            f"postgresql://u:p@h/d?sslmode=verify-full&sslrootcert={_CERTIFICATE}",
            _PG,
            {"dsn": f"postgresql://?sslmode=verify-full&sslrootcert={_CERTIFICATE.replace('/', '%2F')}"},
        ),
        (
            "postgresql://u:p@h/d?target_session_attrs=read-write&application_name=work%20room",
            _PG,
            {
                "dsn": "postgresql://?target_session_attrs=read-write",
                "server_settings": {"application_name": "work room"},
            },
        ),
        ("postgresql://u:p@h/d?connect_timeout=3", _PG, {"timeout": 3.0}),
        (
            "postgresql://u:p@h/d?statement_cache_size=0",
            _PG,
            {"statement_cache_size": 0, "prepared_statement_cache_size": 0},
        ),
        (
            "postgresql+asyncpg://u:p@h/d?prepared_statement_cache_size=0",
            _PG,
            {"statement_cache_size": 0, "prepared_statement_cache_size": 0},
        ),
        (
            "postgresql://u:p@one:5433,two/d",
            "postgresql+asyncpg://u:***@/d",
            {"host": ["one", "two"], "port": [5433, 5432]},
        ),
        ("sqlite+aiosqlite:///var/workroom.db", "sqlite+aiosqlite:///var/workroom.db", {}),
        ("sqlite:///var/workroom.db", "sqlite+aiosqlite:///var/workroom.db", {}),
        ("sqlite:////srv/work room.db", "sqlite+aiosqlite:////srv/work room.db", {}),
    ],
)
def test_a_database_url_becomes_a_url_and_connection_arguments(
    given: str, url: str, connect_args: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", given)
    for settings in (load_settings(), load_deployment_settings()):
        connecting = connecting_to(settings.database_url)
        assert connecting.url.render_as_string(hide_password=True).replace("%2F", "/") == url
        assert connecting.connect_args == connect_args


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ("workroom.db", "must start with"),
        ("mysql://u:hunter2@h/d", "must start with"),
        ("postgresql+psycopg://u:hunter2@h/d", "a driver other than asyncpg"),
        ("postgresql:u:hunter2@h/d", "must start with"),
        ("'postgresql://u:hunter2@h/d'", "quotation marks"),
        ("postgresql://u:hunter2@h", "names no database"),
        ("postgresql://u:hunter2@h/", "names no database"),
        ("postgresql://u:hunter2@h:99999/d", "port from 1 to 65535"),
        ("postgresql://u:hunter2@h:/d?port=1", "no host"),
        ("postgresql://u:hunter2/x@h/d", "/ as %2F"),
        ("postgresql://u:hunter2#x@h/d", "no fragment"),
        ("postgresql://u:hunter2@::1/d", "brackets"),
        ("postgresql://u:hunter2%ff@h/d", "not valid UTF-8"),
        ("postgresql://u:hunter2@h/d?sslmode=on", "sslmode must be one of"),
        ("postgresql://u:hunter2@h/d?sslmode", "without a value"),
        ("postgresql://u:hunter2@h/d?sslmode=require&sslmode=disable", "twice"),
        ("postgresql://u:hunter2@h/d?ssl=require&sslmode=disable", "twice"),
        (
            "postgresql://u:hunter2@h/d?sslrootcert=/no/such.pem",
            "sslrootcert names a file that does not exist",
        ),
        ("postgresql://u:hunter2@h/d?channel_binding=require", "an unsupported parameter: channel_binding"),
        ("postgresql://u:hunter2@h/d?pool_size=5", "an unsupported parameter: pool_size"),
        ("postgresql://u:hunter2@h/d?connect_timeout=soon", "connect_timeout must be"),
        ("postgresql://u:hunter2@h/d?statement_cache_size=-1", "0 for PgBouncer"),
        ("postgresql://u:hunter2@h/d?target_session_attrs=master", "target_session_attrs must be one of"),
        ("sqlite://", "three slashes"),
        ("sqlite://var/workroom.db", "three slashes"),
        ("sqlite:///", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///var/", "must name a file"),
        ("sqlite:///var/workroom.db?timeout=5", "no parameters"),
    ],
)
def test_a_database_url_that_cannot_be_used_is_rejected(
    given: str, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", given)
    for load in (load_settings, load_deployment_settings, lambda: connecting_to(given)):
        with pytest.raises(ConfigurationError, match="DATABASE_URL") as raised:
            load()
        assert refusal in str(raised.value)
        assert "hunter2" not in str(raised.value)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APP_PORT", "DATABASE_URL", "LOG_FORMAT", "RATE_LIMIT_CLIENT", "SESSION_IDLE_TIMEOUT"):
        monkeypatch.setenv(name, "")
    assert load_settings().port == 3000


@pytest.mark.parametrize("name", ["DATABASE_OWNER_URL", "DATABASE_JOBS_URL"])
def test_all_roles_use_the_same_kind_of_database(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/workroom")
    monkeypatch.setenv(name, "sqlite:///var/other.db")
    with pytest.raises(ValidationError, match="same database as DATABASE_URL"):
        DatabaseSettings()


@pytest.mark.parametrize("url", ["http://127.0.0.1:3002", "http://localhost:3002", "http://[::1]:3002", ""])
def test_the_practice_service_may_be_on_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PRACTICE_URL", url)
    assert load_settings().lab_practice_url == url


@pytest.mark.parametrize(
    "url", ["http://0.0.0.0:3002", "http://10.0.0.1", "https://practice.example", "http://127.0.0.1.example"]
)
def test_the_practice_service_is_nowhere_else(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PRACTICE_URL", url)
    with pytest.raises(ConfigurationError, match="LAB_PRACTICE_URL must be an address of this machine"):
        load_settings()
