"""Who may call the practice service, and what it does with odd requests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from saas_app.lab.broken.flaws import FLAWS
from saas_app.lab.broken.workspaces import Workspaces
from tests.integration.bearer import Mint
from tests.integration.lab.practice.service import KEY, MODULE, Practice, Workspace

HERE = "mine at the workshop"
ARGUMENTS = ("--port", "1", "--issuer", "https://logto.example/oidc", "--resource", "https://api.example")
WANTED: dict[str, Any] = {
    "flaw": "guessed-id",
    "organizations": [{"id": "o1", "name": "One"}, {"id": "o2", "name": "Two"}],
    "members": [],
}


@pytest.mark.parametrize(
    "host", ["workroom.example", "localhost.example:80", "127.0.0.1.example", "10.0.0.1"]
)
async def test_a_request_for_another_host_is_refused(practice: Practice, host: str) -> None:
    status, _body = await practice.control("GET", "/readyz", Host=host)

    assert status == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:3002", "[::1]:3002"])
async def test_a_request_for_this_machine_is_answered(practice: Practice, host: str) -> None:
    assert await practice.control("GET", "/readyz", Host=host) == (200, {"ready": True})


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/flaws/guessed-id"), ("POST", "/workspaces"), ("GET", f"/workspaces/{'0' * 32}"),
     ("DELETE", f"/workspaces/{'0' * 32}"), ("GET", "/no/such/route")],
)  # fmt: skip
@pytest.mark.parametrize("key", ["", "another key of the practice service", KEY + "x"])
async def test_control_routes_need_the_key(practice: Practice, method: str, path: str, key: str) -> None:
    assert (await practice.control(method, path, key=key))[0] == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "workroom.example"])  # noqa: S104 - refused
def test_it_listens_on_loopback_addresses_only(tmp_path: Path, host: str) -> None:
    started = start("--host", host, "--data", str(tmp_path), key=KEY)

    assert started.returncode == 2
    assert "only loopback addresses" in started.stderr


def test_it_does_not_start_without_a_key(tmp_path: Path) -> None:
    started = start("--data", str(tmp_path), key="short")

    assert started.returncode == 1
    assert "Set LAB_PRACTICE_KEY" in started.stderr


def start(*arguments: str, key: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", MODULE, *ARGUMENTS, *arguments],
        env={**os.environ, "LAB_PRACTICE_KEY": key},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("slug", FLAWS)
async def test_the_code_that_is_shown_is_the_code_that_runs(practice: Practice, slug: str) -> None:
    status, flaw = await practice.control("GET", f"/flaws/{slug}")

    assert (status, flaw["method"], flaw["path"]) == (200, FLAWS[slug].method, FLAWS[slug].path)
    for shown, variant in zip(flaw["variants"], FLAWS[slug].variants, strict=True):
        assert shown["source"].startswith(f"async def {variant.__name__}(call: Call) -> Row:\n")
        assert not re.search(r"\b_[A-Z]", shown["source"])  # a constant that learners do not see


@pytest.mark.parametrize("slug", FLAWS)
@pytest.mark.parametrize(
    ("token", "because"),
    [
        ("nonsense", "Not enough segments"),
        ("expired", "expired"),
        ("forged", "ignature verification failed"),
        ("unknown key", "unknown key"),
        ("other issuer", "issuer"),
        ("no access token", "Not an access token"),
    ],
)
async def test_every_flaw_refuses_tokens_that_are_not_genuine(
    practice: Practice, mint: Mint, signing_key: Any, slug: str, token: str, because: str
) -> None:
    genuine = mint(practice.workshop)
    bad = {
        "nonsense": "nonsense",
        "expired": mint(practice.workshop, exp=1),
        "forged": genuine[:-8] + ("AAAAAAAA" if not genuine.endswith("AAAAAAAA") else "BBBBBBBB"),
        "unknown key": mint(practice.workshop, header={"kid": "unknown"}),
        "other issuer": mint(practice.workshop, iss="https://logto.example/oidc"),
        "no access token": mint(practice.workshop, header={"typ": "JWT"}),
    }[token]
    workspace = await practice.create(slug)
    flaw = FLAWS[slug]
    path = f"/w/{workspace.id}{flaw.path.replace('{id}', '1')}"

    status, body = await practice.control(flaw.method, path, {} if flaw.method == "POST" else None, key=bad)

    assert status == 401
    assert because in body["error"]


async def test_a_token_without_an_organization_is_refused(practice: Practice, mint: Mint) -> None:
    workspace = await practice.create("guessed-id")

    status, _body = await practice.control(
        "GET", f"/w/{workspace.id}/reports/1", key=mint(practice.workshop, organization_id=None)
    )

    assert status == 401


async def test_a_token_without_the_permission_is_refused(practice: Practice, mint: Mint) -> None:
    workspace = await practice.create("guessed-id")

    status, _body = await practice.control(
        "GET", f"/w/{workspace.id}/reports/1", key=mint(practice.workshop, scope="members:read")
    )

    assert status == 403


async def test_a_request_without_a_token_is_refused(practice: Practice) -> None:
    workspace = await practice.create("guessed-id")

    assert (await practice.control("GET", f"/w/{workspace.id}/reports", key=""))[0] == 401


async def test_the_list_shows_the_reports_that_all_members_may_read(practice: Practice) -> None:
    workspace = await practice.create("role-name-checked")

    found = await workspace.reads("/reports", HERE)

    assert found == {report["id"] for report in workspace.of(practice.workshop) if not report["confidential"]}


async def test_a_workspace_does_not_see_another_one(practice: Practice) -> None:
    first, second = await practice.create("guessed-id"), await practice.create("guessed-id")

    _status, answer = await second.send("/reports/1", HERE)

    assert first.reports[0]["canary"] not in str(answer)
    assert second.reports[0]["canary"] in str(answer)


async def test_a_deleted_workspace_is_gone(practice: Practice) -> None:
    workspace = await practice.create("guessed-id")

    await practice.control("DELETE", f"/workspaces/{workspace.id}")

    assert (await practice.control("GET", f"/workspaces/{workspace.id}"))[0] == 404
    assert (await workspace.send("/reports/1", HERE))[0] == 404


@pytest.mark.parametrize(
    "path", ["/nothing", "/reports/1/2", "/reports/..%2f..", "/reports/", "/reports/" + "9" * 65]
)
async def test_an_unknown_path_is_answered_with_the_routes(practice: Practice, path: str) -> None:
    workspace = await practice.create("guessed-id")

    status, body = await workspace.send(path, HERE)

    assert (status, body["error"]) == (404, "The routes are: GET /reports/{id}, GET /reports.")


@pytest.mark.parametrize("workspace", ["0" * 32, "..x", "x", "0" * 31 + "G"])
async def test_an_unknown_workspace_is_not_found(practice: Practice, workspace: str) -> None:
    assert (await practice.send(f"/w/{workspace}/reports", HERE))[0] == 404


@pytest.mark.parametrize("body", [[], "text", None, 1])
async def test_a_body_that_is_no_object_is_refused(practice: Practice, body: Any) -> None:
    workspace = await practice.create("role-from-body")

    assert (await workspace.send("/reports/search", HERE, "POST", body))[0] == 400


@pytest.mark.parametrize("words", ["\udfff", "%" * 9000, {"nested": ["x"]}, None])
async def test_odd_words_are_searched_or_refused(practice: Practice, words: Any) -> None:
    workspace = await practice.create("role-from-body")

    assert (await workspace.send("/reports/search", HERE, "POST", {"words": words}))[0] in (200, 400)


async def test_a_body_that_is_too_large_is_refused(practice: Practice) -> None:
    workspace = await practice.create("role-from-body")

    status, _body = await workspace.send("/reports/search", HERE, "POST", {"words": "x" * 20_001})

    assert status == 413


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {**WANTED, "flaw": "none"},
        {**WANTED, "flaw": ["guessed-id"]},
        {**WANTED, "variant": "none"},
        {**WANTED, "organizations": WANTED["organizations"][:1]},
        {**WANTED, "organizations": [{"id": "o1", "name": 1}] * 2},
        {**WANTED, "members": [{"subject": "s"}]},
        {**WANTED, "members": [{"subject": "s", "organization_id": "o", "role": "r"}] * 21},
        {**WANTED, "members": 1},
    ],
)
async def test_an_incomplete_workspace_is_refused(practice: Practice, wanted: Any) -> None:
    assert (await practice.control("POST", "/workspaces", wanted))[0] == 422


def test_old_workspaces_and_the_oldest_of_too_many_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas_app.lab.broken.workspaces._MAX_COUNT", 3)
    workspaces = Workspaces(tmp_path)
    made = [workspaces.create(WANTED) for _ in range(3)]
    for age, workspace in zip((2 * 86400, 20, 10), made, strict=True):
        then = (tmp_path / f"{workspace}.sqlite3").stat().st_mtime - age
        os.utime(tmp_path / f"{workspace}.sqlite3", (then, then))

    newer = [workspaces.create(WANTED) for _ in range(2)]

    assert {file.stem for file in tmp_path.iterdir()} == {made[2], *newer}


@pytest.fixture
async def workspace(practice: Practice) -> Workspace:
    """A workspace that another test does not use."""
    return await practice.create("guessed-id")


def test_databases_are_readable_by_their_owner_only(workspace: Workspace, practice_folder: Path) -> None:
    assert practice_folder.stat().st_mode & 0o077 == 0
    assert (practice_folder / f"{workspace.id}.sqlite3").stat().st_mode & 0o077 == 0
