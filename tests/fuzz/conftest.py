"""The fuzzer begins a run: it takes minutes, and at the end the other test processes would wait for it."""

from __future__ import annotations

from pathlib import Path

import pytest

_HERE = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the fuzzer's tests first, and leave all others in their random order."""
    items.sort(key=lambda item: _HERE not in item.path.parents)
