"""compose.yaml: every service gets what it needs and no more, in the right order, and the proxy agrees."""

from __future__ import annotations

import ipaddress
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from saas_app.cli import main
from saas_app.config import Settings
from saas_app.config.database_address import PostgresAddress, read_database_address
from saas_app.operations.server import _GRACE
from tests.databases import ROOT

pytestmark = pytest.mark.one_database

Service = dict[str, Any]

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: Final[dict[str, Service]] = COMPOSE["services"]
OURS: Final = {name: service for name, service in SERVICES.items() if "build" in service}
APPS: Final = ["app-1", "app-2"]
CADDYFILE: Final = ROOT / "deploy/proxy/Caddyfile"
REQUIRED: Final = re.compile(r"\$\{(\w+):\?[^}]*\}")
"""A variable of compose.yaml that has to be set."""


def known_variables() -> set[str]:
    """Return the variables that .env.example explains."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE))


def variables_of_options(command: list[str]) -> set[str]:
    """Return the variables that set options of one of our commands, such as ``saas-app database roles``."""
    found: click.Command = main
    for name in command[1:]:
        if isinstance(found, click.Group):
            found = found.get_command(click.Context(found), name) or found
    return {str(option.envvar) for option in found.params if option.envvar}


def variables_in(service: Service) -> set[str]:
    """Return the variables whose values compose.yaml puts into a service."""
    return set(re.findall(r"\$\{(\w+)", json.dumps(service)))


def database_of(service: Service, variable: str = "DATABASE_URL") -> PostgresAddress:
    """Return a database of a service. Its password is the name of the variable that has to be set."""
    address = read_database_address(REQUIRED.sub(r"\1", service["environment"][variable]))
    assert isinstance(address, PostgresAddress)
    return address


def started_before(name: str) -> set[str]:
    """Return all services that have to be ready before this one starts."""
    needed = set(SERVICES[name].get("depends_on", {}))
    return needed.union(*(started_before(other) for other in needed))


@pytest.mark.parametrize("name", OURS)
def test_our_image_gets_settings_that_exist(name: str) -> None:
    known = known_variables() | variables_of_options(OURS[name]["command"])

    assert set(OURS[name]["environment"]) <= known


@pytest.mark.parametrize("name", OURS)
def test_our_image_can_write_nothing_and_gain_no_privilege(name: str) -> None:
    service = OURS[name]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108  # the folder in the container
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(volume.endswith(":ro") for volume in service.get("volumes", []))


def test_every_password_has_to_be_set() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    passwords = set(re.findall(r"\$\{(\w+_PASSWORD)\b", text))

    assert passwords == {f"{whose}_PASSWORD" for whose in ("POSTGRES", "OWNER", "APP", "JOBS", "LOGTO")}
    assert not re.search(r"\$\{(SITE|\w+_PASSWORD)(?!:\?)", text)
    assert not re.search(r"PASSWORD: (?!\$\{)", text)
    assert passwords | {"SITE"} <= known_variables()


def test_the_superusers_password_reaches_the_database_and_the_step_that_makes_roles_alone() -> None:
    assert {name for name, service in SERVICES.items() if "POSTGRES_PASSWORD" in variables_in(service)} == {
        "database",
        "roles",
    }
    assert {json.dumps(service["env_file"]) for service in OURS.values() if "env_file" in service} == {
        json.dumps([{"path": "var/workroom.env", "required": False}])
    }


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        *((app, {"DATABASE_URL": "app@pgbouncer", "DATABASE_JOBS_URL": "jobs@database"}) for app in APPS),
        ("migrate", {"DATABASE_OWNER_URL": "owner@database"}),
        ("reconcile", {"DATABASE_URL": "jobs@database"}),
        (
            "roles",
            {
                "DATABASE_OWNER_URL": "owner@database",
                "DATABASE_URL": "app@database",
                "DATABASE_JOBS_URL": "jobs@database",
            },
        ),
    ],
)
def test_each_service_connects_as_the_roles_for_its_purpose(name: str, addresses: dict[str, str]) -> None:
    service = SERVICES[name]
    named = {variable for variable in service["environment"] if variable.startswith("DATABASE_")}

    assert named - {"DATABASE_ADMIN_URL"} == set(addresses)
    for variable, address in addresses.items():
        role, _, host = address.partition("@")
        database = database_of(service, variable)
        assert (database.user, database.password) == (f"workroom_{role}", f"{role.upper()}_PASSWORD")
        assert database.hosts == ((host, None),)
        assert database.database == SERVICES["database"]["environment"]["POSTGRES_DB"]


@pytest.mark.parametrize("app", APPS)
def test_prepared_statements_are_off_behind_the_pooler(app: str) -> None:
    pooler = SERVICES["pgbouncer"]["environment"]

    assert pooler["POOL_MODE"] == "transaction"
    assert pooler["DB_USER"] == database_of(SERVICES[app]).user
    assert pooler["DB_PASSWORD"] == "${APP_PASSWORD:?set APP_PASSWORD}"
    assert database_of(SERVICES[app]).parameters["statement_cache_size"] == "0"


@pytest.mark.parametrize("app", APPS)
def test_the_application_starts_after_migrations_and_they_after_the_roles(app: str) -> None:
    assert SERVICES[app]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["depends_on"]["roles"] == {"condition": "service_completed_successfully"}
    assert SERVICES["roles"]["depends_on"]["database"] == {"condition": "service_healthy"}
    assert {"pgbouncer", "valkey"} <= started_before(app)
    assert SERVICES[app]["command"] == ["saas-app", "serve", "--no-migrate"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_server_says_whether_it_is_healthy(name: str) -> None:
    """The image of the application has a check of its own. Jobs have none, because they listen nowhere."""
    service = SERVICES[name]
    if name in APPS:
        assert "healthcheck" not in service
    elif name in OURS:
        assert service["healthcheck"] == {"disable": True}
    else:
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("app", APPS)
def test_an_application_that_stops_has_time_to_finish(app: str) -> None:
    seconds = int(SERVICES[app]["stop_grace_period"].removesuffix("s"))

    assert seconds > int(SERVICES[app]["environment"]["APP_DRAIN_SECONDS"]) + _GRACE


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}
    assert COMPOSE["networks"]["data"] == {"internal": True}
    assert "data" not in SERVICES["proxy"]["networks"]


@pytest.mark.parametrize("app", APPS)
def test_forwarded_headers_are_trusted_from_the_proxy_alone(app: str) -> None:
    front = SERVICES["proxy"]["networks"]["front"]
    subnet = COMPOSE["networks"]["front"]["ipam"]["config"][0]["subnet"]

    assert SERVICES[app]["environment"]["FORWARDED_ALLOW_IPS"] == front["ipv4_address"]
    assert ipaddress.ip_address(front["ipv4_address"]) in ipaddress.ip_network(subnet)


def test_the_proxy_asks_both_applications_whether_they_are_ready() -> None:
    text = CADDYFILE.read_text(encoding="utf-8")
    keep_alive = re.search(r"keepalive (\d+)s", text)

    assert f"reverse_proxy {' '.join(f'{app}:3000' for app in APPS)} {{" in text
    assert "health_uri /readyz\n" in text
    assert keep_alive is not None
    assert int(keep_alive[1]) < Settings.model_fields["keep_alive_timeout"].default


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy: none. Install it (Debian: caddy).")
def test_caddy_accepts_its_configuration(tmp_path: Path) -> None:
    environment = {"SITE": "work.example", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert "Valid configuration" in done.stdout + done.stderr
