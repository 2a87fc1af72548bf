"""The provider as tests start it: a process of its own on a free port, with data of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from local_logto.testing.processes import free_port, running, wait_for


@dataclass(frozen=True, slots=True)
class Provider:
    """A running provider, with the credentials of its Management API."""

    endpoint: str
    management_app_id: str
    management_app_secret: str
    data_dir: Path
    pid: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """What a program reads to reach the Management API, named as ``local-logto credentials`` does."""
        return {
            "LOGTO_ENDPOINT": self.endpoint,
            "LOGTO_MANAGEMENT_APP_ID": self.management_app_id,
            "LOGTO_MANAGEMENT_APP_SECRET": self.management_app_secret,
        }


@contextlib.contextmanager
def running_provider(data_dir: Path, **extra: str) -> Iterator[Provider]:
    """Run a provider until the block ends; ``extra`` goes into its environment, as in ``LOCAL_LOGTO_…``."""
    port = free_port()
    provider = Provider(f"http://localhost:{port}", "management-test", secrets.token_hex(16), data_dir)
    environment = {
        **os.environ,
        "LOCAL_LOGTO_ENDPOINT": provider.endpoint,
        "LOCAL_LOGTO_MANAGEMENT_APP_ID": provider.management_app_id,
        "LOCAL_LOGTO_MANAGEMENT_APP_SECRET": provider.management_app_secret,
        **extra,
    }
    command = [
        sys.executable, "-m", "local_logto", "serve",
        "--host", "127.0.0.1", "--port", str(port), "--data-dir", str(data_dir),
    ]  # fmt: skip
    log = data_dir / "provider.log"
    with running(command, environment, log) as process:
        wait_for(f"{provider.endpoint}/api/status", 204, process, log)
        yield replace(provider, pid=process.pid)
