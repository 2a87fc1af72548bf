"""The programs that are measured: the provider and the application, on free ports."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from saas_app.config import ManagementSettings
from saas_app.operations.env_file import read_env_file
from tests.databases import migrated_database
from tests.processes import running_application, running_provider


@dataclass(frozen=True, slots=True)
class Site:
    """The URL of the application, and how to manage its Logto."""

    url: str
    management: ManagementSettings


@contextmanager
def running_site(**settings: str) -> Iterator[Site]:
    """Run both programs until the block ends. This process gets the application's environment too.

    ``settings`` are additional environment variables of the application.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with (
            running_provider(directory / "provider") as provider,
            migrated_database(directory) as database_url,
            running_application(provider, database_url, directory, **settings) as application,
        ):
            os.environ.update(read_env_file(application.env_file))
            management = ManagementSettings(
                endpoint=provider.endpoint,
                app_id=provider.management_app_id,
                app_secret=SecretStr(provider.management_app_secret),
                token_endpoint="",
            )
            yield Site(application.url, management)
