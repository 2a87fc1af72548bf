"""The fuzzer runs first: it takes minutes, and at the end all other test processes would wait for it."""

from __future__ import annotations

from pathlib import Path

import pytest

_HERE = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the fuzzer's tests to the front and keep the order of all others."""
    items.sort(key=lambda item: _HERE not in item.path.parents)
