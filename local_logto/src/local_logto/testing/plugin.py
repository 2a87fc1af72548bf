"""The pytest plugin: the fixture ``local_logto``, one provider per test process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from local_logto.testing.provider import Provider, running_provider


@pytest.fixture(scope="session")
def local_logto_environment() -> Mapping[str, str]:
    """Override this fixture to set its environment: ``{"LOCAL_LOGTO_BUILT_IN_MESSAGES": "false"}``."""
    return {}


@pytest.fixture(scope="session")
def local_logto(
    tmp_path_factory: pytest.TempPathFactory, local_logto_environment: Mapping[str, str]
) -> Iterator[Provider]:
    """A provider for this test process, on a free port and with an empty database. It stops at the end."""
    with running_provider(tmp_path_factory.mktemp("local_logto"), **local_logto_environment) as provider:
        yield provider
