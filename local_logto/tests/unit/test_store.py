"""The store: one transaction at a time, which no request can leave open for another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, InvalidRequestError

import local_logto
from local_logto.store import Store
from local_logto.tables import organizations

PACKAGE = Path(local_logto.__file__).parent
ACME = {"id": "acme", "name": "Acme", "created_at": 0}


def _waits_in_transactions(tree: ast.Module) -> Iterator[int]:
    """Return the lines of a module that await something while a transaction is open."""
    for block in ast.walk(tree):
        if isinstance(block, ast.With) and any("begin()" in ast.unparse(item) for item in block.items):
            waits = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield)
            yield from (part.lineno for part in ast.walk(block) if isinstance(part, waits))


@pytest.mark.parametrize(
    "wait", ["await send()", "async with lock: pass", "async for row in rows: pass", "yield connection"]
)
def test_wait_in_a_transaction_is_found(wait: str) -> None:
    text = f"async def f():\n    with store.begin() as connection:\n        {wait}"
    assert list(_waits_in_transactions(ast.parse(text))) == [3]


def test_transactions_wait_for_nothing() -> None:
    sources = {path: path.read_text() for path in PACKAGE.rglob("*.py") if path.name != "store.py"}
    users = {str(path): ast.parse(source) for path, source in sources.items() if ".begin()" in source}
    waits = {path: list(_waits_in_transactions(tree)) for path, tree in users.items()}
    assert {path: lines for path, lines in waits.items() if lines} == {}
    assert len(users) > 50


async def test_second_transaction_is_refused_while_one_is_open(store: Store) -> None:
    with store.begin(), pytest.raises(InvalidRequestError), store.begin():
        pass


def _insert_twice(store: Store) -> None:
    with store.begin() as connection:
        for _ in range(2):
            connection.execute(organizations.insert().values(**ACME))


async def test_transaction_is_rolled_back_if_its_block_raises(store: Store) -> None:
    with pytest.raises(IntegrityError):
        _insert_twice(store)
    with store.begin() as connection:
        assert connection.execute(sa.select(organizations)).all() == []


def test_store_that_is_not_open_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not open"), Store(tmp_path / "x.sqlite3").begin():
        pass
