"""The options of the demo, and the files and URLs that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The ports of the demo, which listens on this machine only, and its data folder.

    ``reload``: restart Workroom when its code changes, and print its log to the terminal.
    """

    app_port: int
    logto_port: int
    company_port: int
    data: Path
    reload: bool = False

    @property
    def app_url(self) -> str:
        return f"http://localhost:{self.app_port}"

    @property
    def logto_url(self) -> str:
        return f"http://localhost:{self.logto_port}"

    @property
    def company_url(self) -> str:
        """The identity provider of a customer. Browsers share cookies between the ports of one host."""
        return f"http://127.0.0.1:{self.company_port}"

    @property
    def env_file(self) -> Path:
        """The environment file for ``saas-app serve --env-file``."""
        return self.data / "demo.env"

    @property
    def people_file(self) -> Path:
        return self.data / "demo-people.json"

    @property
    def seeded_file(self) -> Path:
        """Records what was seeded, so that a restart does not undo changes by people."""
        return self.data / "demo-seeded.json"

    @property
    def database_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.data.resolve() / 'workroom.db'}"
