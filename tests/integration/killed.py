"""Programs that kill themselves in the middle of a change, like a process whose machine fails."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

from saas_app.config import Settings


def environment_of(settings: Settings) -> dict[str, str]:
    """Return an environment in which a program reaches the database and the Management API of the tests."""
    assert settings.management is not None
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.owner_url,
        "DATABASE_JOBS_URL": settings.jobs_url,
        "LOGTO_ENDPOINT": settings.management.endpoint,
        "LOGTO_MANAGEMENT_APP_ID": settings.management.app_id,
        "LOGTO_MANAGEMENT_APP_SECRET": settings.management.app_secret.get_secret_value(),
    }


async def run_until_killed(settings: Settings, script: str, *arguments: str) -> None:
    """Run a Python script with the URL of jobs and these arguments. It must kill itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", script, settings.jobs_url, *arguments),
        env=environment_of(settings),
        stderr=subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == -signal.SIGKILL, errors.decode()
