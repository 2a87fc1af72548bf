"""What can be chosen about a run of the demo, and the files and addresses that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Where the demo listens, on this machine only, and where it keeps its data.

    ``reload``: restart Workroom when its code changes, and print its log to the terminal.
    """

    app_port: int
    logto_port: int
    data: Path
    reload: bool = False

    @property
    def app_url(self) -> str:
        return f"http://localhost:{self.app_port}"

    @property
    def logto_url(self) -> str:
        return f"http://localhost:{self.logto_port}"

    @property
    def env_file(self) -> Path:
        """What ``saas-app serve --env-file`` takes."""
        return self.data / "demo.env"

    @property
    def people_file(self) -> Path:
        return self.data / "demo-people.json"

    @property
    def seeded_file(self) -> Path:
        """Says what was seeded where, so that a restart leaves alone what people changed since."""
        return self.data / "demo-seeded.json"

    @property
    def database_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.data.resolve() / 'workroom.db'}"
