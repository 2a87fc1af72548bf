"""What the provider's tests share: one provider for each test process, started as a program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_logto.testing import Provider, running_provider


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider of this test process."""
    with running_provider(tmp_path_factory.mktemp("local_logto")) as running:
        yield running
