"""Database files of older versions: completed where that is safe, otherwise refused in one line."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa

from local_logto import second_factors
from local_logto.schema import OutdatedSchema, create_or_complete
from local_logto.second_factors import Factors
from local_logto.settings import Settings
from local_logto.store import Store, metadata


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Settings(data_dir=tmp_path).database


def execute(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def complete(file: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{file}")
    try:
        with engine.begin() as connection:
            create_or_complete(connection, metadata)
    finally:
        engine.dispose()


def columns_of(file: Path, table: str) -> set[str]:
    connection = sqlite3.connect(file)
    names = {row[1] for row in connection.execute(f"pragma table_info({table})")}
    connection.close()
    return names


def test_new_file_has_every_table(file: Path) -> None:
    complete(file)
    for table in metadata.sorted_tables:
        assert columns_of(file, table.name) == set(table.c.keys())


def test_missing_columns_are_added_and_rows_are_kept(file: Path) -> None:
    complete(file)
    execute(
        file,
        "insert into users (id, username, created_at, updated_at) values ('ada', 'ada', 1, 1)",
        "alter table users drop column avatar",
        "alter table users drop column custom_data",
        "alter table users drop column is_suspended",
    )
    complete(file)
    connection = sqlite3.connect(file)
    row = connection.execute("select id, avatar, custom_data, is_suspended from users").fetchone()
    connection.close()
    assert row == ("ada", None, "{}", 0)


def test_missing_column_without_a_default_is_refused(file: Path) -> None:
    execute(file, "create table organizations (id text primary key)")
    with pytest.raises(OutdatedSchema, match="its table organizations lacks name"):
        complete(file)


def test_missing_foreign_key_is_refused(file: Path) -> None:
    complete(file)
    execute(
        file, "drop table tokens", "create table tokens (value_hash text primary key, kind text not null)"
    )
    with pytest.raises(OutdatedSchema, match="its table tokens lacks grant_id"):
        complete(file)


def test_unknown_required_column_is_refused(file: Path) -> None:
    complete(file)
    execute(file, "drop table configs", "create table configs (key text, value json, owner text not null)")
    with pytest.raises(OutdatedSchema, match="its table configs requires owner"):
        complete(file)


def keep_factors(file: Path, factors: object) -> None:
    execute(file, "insert into users (id, username, created_at, updated_at) values ('ada', 'ada', 1, 1)")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("update users set mfa_verifications = ?", [json.dumps(factors)])


def factors_in(file: Path) -> Factors:
    with closing(sqlite3.connect(file)) as connection, connection:
        factors: Factors = json.loads(connection.execute("select mfa_verifications from users").fetchone()[0])
    return factors


def test_second_factors_of_the_first_version_still_work(file: Path) -> None:
    complete(file)
    secret, code = second_factors.new_totp_secret(), "5c923beda3"
    head = {"createdAt": "2026-01-01T00:00:00.000Z"}
    old_totp = {"id": "a", **head, "type": "Totp", "secret": secret}
    old_codes = {"id": "b", **head, "type": "BackupCode", "codes": [code, "0" * 10]}
    keep_factors(file, [old_totp, old_codes])
    complete(file)
    factors = factors_in(file)
    assert second_factors.use_totp(factors, pyotp.TOTP(secret).at(1_700_000_000), 1_700_000_000_000)
    used = second_factors.use_backup_code(factors, code, 1_700_000_000_000)
    assert used is not None
    assert second_factors.unused_codes(used[1]) == 1
    assert [factor["id"] for factor in factors] == ["a", "b"]


def test_current_second_factors_are_not_changed(file: Path) -> None:
    complete(file)
    used = {**second_factors.totp_factor("A" * 32, 0), "lastUsedTimeStep": 7}
    factors = [used, second_factors.backup_code_factor(["a" * 10], 0)]
    keep_factors(file, factors)
    complete(file)
    assert factors_in(file) == factors


@pytest.mark.parametrize("factor", [{"type": "Totp"}, "Totp", {"id": "a", "createdAt": "", "type": "Totp"}])
def test_unknown_second_factor_is_refused(file: Path, factor: object) -> None:
    complete(file)
    keep_factors(file, [factor])
    with pytest.raises(OutdatedSchema, match="a second factor of ada is unknown"):
        complete(file)


async def test_completed_file_can_be_opened_again(file: Path) -> None:
    complete(file)
    execute(file, "alter table users drop column avatar")
    for _ in range(2):
        store = Store(file)
        store.open()
        store.close()
    assert "avatar" in columns_of(file, "users")


@pytest.mark.parametrize("content", [b"no database at all " * 40, None], ids=["garbage", "outdated"])
def test_unusable_file_is_reported_in_one_line(file: Path, content: bytes | None) -> None:
    if content is None:
        execute(file, "create table organizations (id text primary key)")
    else:
        file.write_bytes(content)
    file.chmod(0o600)  # a file that others may read would be reported first
    command = [sys.executable, "-m", "local_logto", "serve", "--port", "0", "--data-dir", str(file.parent)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert str(file) in line
    assert "delete the file" in line
