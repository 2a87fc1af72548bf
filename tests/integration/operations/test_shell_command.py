"""``saas-app shell``: statements can await, tenant rules hold, and an error does not end the prompt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.databases import migrate

pytestmark = pytest.mark.one_database

LINES = """\
await rows(select(Organization))
await rows(select(AuditEvent))
async with work.writing("acme") as db:
    db.add(ApiClient(client_id="m-1", name="Robot", created_by="alice", created_at=utc_now()))

await rows(select(ApiClient.name), "acme")
await rows(select(ApiClient.name), "globex")
await rows(select(ApiClient), "acme")
1/0
settings.app_url
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A file for ``--env-file``, of a deployment with a migrated database."""
    database = f"sqlite+aiosqlite:///{tmp_path}/workroom.db"
    migrate(database)
    file = tmp_path / "test.env"
    file.write_text(
        f"DATABASE_URL={database}\nAPP_ENCRYPTION_KEYS={Fernet.generate_key().decode()}\n"
        "LOGTO_ENDPOINT=http://localhost:1\nLOGTO_APP_ID=a\nLOGTO_APP_SECRET=b\nAPP_URL=http://localhost:3000\n"
    )
    return file


def test_the_prompt_awaits_and_enforces_tenant_rules(environment: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "saas_app", "shell", "--env-file", str(environment)],
        input=LINES,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    shown = finished.stdout.replace(">>> ", "").replace("... ", "").splitlines()
    assert shown[:3] == ["[]", "['Robot']", "[]"]  # organizations, then the API clients of acme and of globex
    assert shown[3].startswith("[ApiClient(acme, ")
    assert shown[4] == "'http://localhost:3000'"
    assert "OutsideTenant: statement on audit_events outside a tenant" in finished.stderr
    assert "ZeroDivisionError" in finished.stderr
    assert "await rows(select(Organization))" in finished.stderr  # the banner
