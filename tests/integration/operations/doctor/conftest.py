"""A working installation for ``saas-app doctor``. Logto is real except for its clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from saas_app.operations.env_file import read_env_file
from tests.databases import migrated_database
from tests.integration.operations.doctor.installation import Installation
from tests.processes import running_application, running_provider


@pytest.fixture(scope="package", autouse=True)
def logging() -> Iterator[None]:
    """Restore logging, which each command configures."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A working one, started once for these tests."""
    directory = tmp_path_factory.mktemp("installation")
    with (
        running_provider(directory) as provider,
        migrated_database(directory) as database,
        running_application(provider, database, directory) as application,
    ):
        yield Installation(provider, application.url, read_env_file(application.env_file))
