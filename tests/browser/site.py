"""The site under test: the application and the Logto behind it, started here or running elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from saas_app.config import ManagementSettings, load_management_settings
from saas_app.web.origin import origin_of
from tests.databases import migrated_database
from tests.processes import running_application, running_provider
from tests.settings import management_settings


@dataclass(frozen=True, slots=True)
class Site:
    """The application and its Logto.

    ``environment`` is for the application's commands; None if the site was not started here. ``is_ours``:
    Logto exists for these tests only, so that its settings may be changed.
    """

    url: str
    management: ManagementSettings
    environment: dict[str, str] | None = field(default=None, repr=False)
    is_ours: bool = True

    @property
    def logto(self) -> str:
        """Logto's URL."""
        return self.management.endpoint

    @property
    def origins(self) -> frozenset[str]:
        """The origins a browser may call."""
        return frozenset(filter(None, map(origin_of, (self.url, self.logto))))

    @property
    def has_own_logto(self) -> bool:
        """Whether Logto was started here, so that its pages are tested too."""
        return self.environment is not None

    @property
    def judged_origins(self) -> frozenset[str]:
        """The origins whose pages must have no errors. Pages of a Logto elsewhere are not judged."""
        judged = (self.url, self.logto) if self.has_own_logto else (self.url,)
        return frozenset(filter(None, map(origin_of, judged)))


@contextmanager
def open_site(directory: Path) -> Iterator[Site]:
    """Open the running site at ``E2E_APP_URL``, or start one until the block ends."""
    running = os.environ.get("E2E_APP_URL")
    if running:
        is_ours = os.environ.get("E2E_LOGTO_IS_OURS") == "1"
        yield Site(running.rstrip("/"), load_management_settings(), is_ours=is_ours)
        return
    with (
        running_provider(directory) as provider,
        migrated_database(directory) as database,
        running_application(provider, database, directory, LAB="true") as application,
    ):
        management = management_settings(provider)
        environment = {**provider.environment, **database.environment}
        yield Site(application.url, management, environment)
