"""A site with the lab and its practice service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.site import Site
from tests.databases import migrated_database
from tests.integration.lab.practice.service import KEY, running_practice
from tests.processes import running_application, running_provider
from tests.settings import management_settings

_API_RESOURCE = "https://api.workroom.example"


@contextmanager
def open_practice_site(directory: Path) -> Iterator[Site]:
    """Start everything, until the block ends."""
    with (
        running_provider(directory) as provider,
        migrated_database(directory) as database,
        running_practice(f"{provider.endpoint}/oidc", _API_RESOURCE, directory / "practice") as practice,
        running_application(
            provider,
            database,
            directory,
            LAB="true",
            LAB_PRACTICE_URL=practice,
            LAB_PRACTICE_KEY=KEY,
            LOGTO_API_RESOURCE=_API_RESOURCE,
        ) as application,
    ):
        environment = {**provider.environment, **database.environment}
        yield Site(application.url, management_settings(provider), environment)
