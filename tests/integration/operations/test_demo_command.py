"""``saas-app demo`` as a program: it starts all programs, sets them up, stops them, and starts again."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from saas_app.demo.people import PASSWORD, PEOPLE
from saas_app.operations.env_file import read_env_file
from tests.clients import Person, sign_in_over_http
from tests.databases import ROOT
from tests.processes import free_port

pytestmark = [pytest.mark.one_database, pytest.mark.timeout(300)]  # each start takes seconds of the processor

_ELSEWHERE = "postgresql://jobs@database.example/workroom"  # a deployment that the demo must leave alone
_PATIENCE = 120.0  # seconds: the machine may be busy with other tests


class Demo:
    """A demo with its own ports and data folder.

    ``code`` is the folder in which it runs, ``options`` are added to the command.
    """

    def __init__(self, data: Path, *options: str, code: Path = ROOT) -> None:
        self.data = data
        self.code, self.options = code, options
        self.app_port, self.logto_port, self.company_port = free_port(), free_port(), free_port()
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        output = self.data.parent / f"demo-{len(self.processes)}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "saas_app", "demo", "--data", str(self.data), *self.options],
                cwd=self.code,
                env={
                    **os.environ,
                    "APP_PORT": str(self.app_port),
                    "LOGTO_PORT": str(self.logto_port),
                    "COMPANY_PORT": str(self.company_port),
                    "CONNECTORS_FILE": "",
                    "DATABASE_OWNER_URL": _ELSEWHERE,
                    "DATABASE_JOBS_URL": _ELSEWHERE,
                },
                stdout=file,
                stderr=file,
            )
        self.processes.append(process)
        return process

    def close(self) -> None:
        """Stop the programs that still run."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=30)

    def output(self) -> str:
        return (self.data.parent / f"demo-{len(self.processes) - 1}.txt").read_text()

    def wait_until_ready(self) -> None:
        eventually(lambda: "Stop with Ctrl-C" in self.output() or self.processes[-1].poll() is not None)
        assert self.processes[-1].poll() is None, self.output()

    def from_logto(self, path: str) -> Any:
        """Return JSON that the provider shows to everyone."""
        connection = http.client.HTTPConnection("localhost", self.logto_port, timeout=10)
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def page(self, path: str) -> str:
        """Return a page of Workroom. Wait while the application restarts."""
        connection = http.client.HTTPConnection("localhost", self.app_port, timeout=_PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    async def organizations_of(self, username: str, connector_id: str) -> str:
        """Sign somebody in at the customer's provider, and return their list of organizations.

        The first sign-in makes them a member. A browser then fetches tokens that say so. This signs in again.
        """
        path = f"/sign-in?direct_sign_in=sso:{connector_id}"
        person = Person("", username, PASSWORD)
        first, _callback = await sign_in_over_http(f"http://localhost:{self.app_port}", person, path=path)
        await first.close()
        http, _callback = await sign_in_over_http(f"http://localhost:{self.app_port}", person, path=path)
        async with http, http.get(f"http://localhost:{self.app_port}/o") as response:
            return await response.text()

    def answers(self, port: int, path: str) -> int | None:
        """Return the status of a page. None: nothing listens."""
        connection = http.client.HTTPConnection("localhost", port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except ConnectionRefusedError:
            return None
        finally:
            connection.close()

    @property
    def practice_port(self) -> int:
        """The port of the lab's practice service, once the demo has stored it."""
        stored = read_env_file(self.data / "demo.env") if (self.data / "demo.env").exists() else {}
        return urlsplit(stored.get("LAB_PRACTICE_URL", "")).port or free_port()

    def is_gone(self) -> bool:
        return (
            self.answers(self.app_port, "/healthz") is None
            and self.answers(self.logto_port, "/api/status") is None
            and self.answers(self.company_port, "/api/status") is None
            and self.answers(self.practice_port, "/readyz") is None
        )


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with contextlib.closing(Demo(tmp_path / "var")) as started:
        yield started


def test_the_demo_starts_stops_and_starts_again(demo: Demo) -> None:
    """One scenario: the second start must find what the first one set up, and what people changed since."""
    first = demo.start()
    demo.wait_until_ready()

    shown = demo.output()
    assert f"http://localhost:{demo.app_port}" in shown
    assert f"http://localhost:{demo.logto_port}" in shown
    assert PASSWORD in shown
    assert all(person.username in shown for person in PEOPLE)
    assert demo.answers(demo.app_port, "/readyz") == 200
    assert demo.answers(demo.app_port, "/") == 200
    stored = read_env_file(demo.data / "demo.env")
    assert [name for name in stored if name.startswith("DATABASE_")] == ["DATABASE_URL"]
    experience = demo.from_logto("/api/.well-known/sign-in-exp")
    methods = experience["signIn"]["methods"]
    assert {method["identifier"] for method in methods if method["verificationCode"]} == {"email", "phone"}
    primary = [method["identifier"] for method in methods if method["isPasswordPrimary"]]
    assert primary == ["username", "email"]
    assert experience["forgotPassword"] == {"email": True, "phone": True}
    assert experience["mfa"]["organizationRequiredMfaPolicy"] == "Mandatory"
    assert demo.answers(demo.practice_port, "/readyz") == 200
    (practice,) = [pid for pid in _children(first.pid) if "saas_app.lab.broken" in _command(pid)]
    assert stored["LAB_PRACTICE_KEY"] not in _command(practice)
    assert json.loads(Path(stored["LAB_PEOPLE_FILE"]).read_bytes())[0]["identifier"] == PEOPLE[0].username
    [invitation] = demo.from_logto("/messages?recipient=erin@workroom.example")
    assert invitation["subject"] == "You are invited to Acme Robotics on Workroom"
    assert invitation["link"].startswith(f"http://localhost:{demo.app_port}/invitations/")

    assert f"Issuer         http://127.0.0.1:{demo.company_port}/oidc" in shown
    [connected] = experience["ssoConnectors"]
    assert connected["connectorName"] == "Globex"
    assert "Globex" in asyncio.run(demo.organizations_of("hugo", connected["id"]))

    with smtplib.SMTP("127.0.0.1", urlsplit(stored["SMTP_URL"]).port or 0) as mail_server:
        mail_server.sendmail("no-reply@workroom.example", "bob@workroom.example", "Subject: Hello\n\nBob")
    [email] = demo.from_logto("/messages?recipient=bob@workroom.example")
    assert email["subject"] == "Hello"

    first.send_signal(signal.SIGINT)
    assert first.wait(timeout=30) == 0, demo.output()
    assert demo.is_gone()

    second = demo.start()
    demo.wait_until_ready()
    assert "Demo data:" not in demo.output()  # changes that people made stay
    assert "Provisioned" not in demo.output()
    assert read_env_file(demo.data / "demo.env") == stored
    second.send_signal(signal.SIGTERM)
    assert second.wait(timeout=30) == 0, demo.output()
    assert demo.is_gone()


def test_people_of_the_company_come_in_after_workroom_started_on_another_port(demo: Demo) -> None:
    """Logto and the company's provider know Workroom by its address, which is new then."""
    demo.start()
    demo.wait_until_ready()
    [connected] = demo.from_logto("/api/.well-known/sign-in-exp")["ssoConnectors"]
    demo.close()

    demo.app_port = free_port()
    demo.start()
    demo.wait_until_ready()

    assert "Globex" in asyncio.run(demo.organizations_of("hugo", connected["id"]))


def test_when_one_program_dies_the_other_is_stopped_and_the_last_lines_are_shown(demo: Demo) -> None:
    process = demo.start()
    demo.wait_until_ready()
    ours = f"--port {demo.logto_port}"
    (child,) = [pid for pid in _children(process.pid) if ours in _command(pid)]

    os.kill(child, signal.SIGKILL)

    assert process.wait(timeout=30) == 1
    assert "local_logto stopped (exit code -9)" in demo.output()
    assert demo.is_gone()


def test_stopping_the_demo_during_its_start_leaves_no_process(demo: Demo) -> None:
    process = demo.start()
    eventually(lambda: "Starting the development identity provider" in demo.output())

    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=30) == 0, demo.output()
    assert demo.is_gone()


@pytest.mark.timeout(300)  # it starts Workroom five times
def test_changed_code_and_templates_take_effect_at_the_next_request_and_data_stays(tmp_path: Path) -> None:
    code = tmp_path / "code"
    for folder in ("saas_app", "templates", "migrations"):
        shutil.copytree(ROOT / folder, code / folder)
    with contextlib.closing(Demo(tmp_path / "var", "--reload", code=code)) as demo:
        process = demo.start()
        demo.wait_until_ready()
        database = demo.data / "workroom.db"
        created = database.stat().st_ino
        health, layout = code / "saas_app/web/health.py", code / "templates/base.html"

        _replace(layout, "<title>", "<title>Changed ")
        eventually(lambda: "<title>Changed " in demo.page("/"))

        right = _replace(health, '{"status": "ok"}', '{"status": "changed"}')
        eventually(lambda: "changed" in demo.page("/healthz"))

        health.write_text("this is no Python")
        eventually(lambda: "SyntaxError" in demo.output())
        health.write_text(right)
        assert "ok" in demo.page("/healthz")

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0, demo.output()
        assert demo.is_gone()
        assert database.stat().st_ino == created


def _replace(path: Path, old: str, new: str) -> str:
    """Edit a file like an editor, and return its former content."""
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    return before


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=True).stdout
    return [int(line) for line in listed.split()]


def _command(pid: int) -> str:
    return subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=True
    ).stdout
