"""Starts, watches and stops another program."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from textwrap import indent

from saas_app.errors import ConfigurationError
from saas_app.text.translation import _

_STOP_TIMEOUT = 10.0  # seconds to finish running work
_READY_TIMEOUT = 60.0
_READY_INTERVAL = 0.05
_LAST_LINES = 15


class Child:
    """A Python module that runs as a process. It has its own process group, so Ctrl-C reaches only us.

    Its output goes to ``log``, or to our own output if that is None.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path | None
    ) -> None:
        self.name = name
        self._arguments = list(arguments)
        self._environment = dict(environment)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the program. Its output replaces the log of the last run."""
        with self._log.open("wb") if self._log else contextlib.nullcontext() as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *self._arguments,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def wait_until(self, is_ready: Callable[[], Awaitable[bool]]) -> None:
        """Wait for the program to be ready. Raises :class:`ConfigurationError` if it ends or is too slow."""
        try:
            async with asyncio.timeout(_READY_TIMEOUT):
                while not await is_ready():
                    if self._started.returncode is not None:
                        raise self.died()
                    await asyncio.sleep(_READY_INTERVAL)
        except TimeoutError:
            raise ConfigurationError(
                _(
                    "%(name)s did not respond within %(ready_timeout)s seconds:\n%(last_lines)s",
                    name=self.name,
                    ready_timeout=round(_READY_TIMEOUT),
                    last_lines=self._last_lines(),
                )
            ) from None

    async def wait(self) -> None:
        """Wait until the program ends, for any reason."""
        await self._started.wait()

    def died(self) -> ConfigurationError:
        """Return an error for a program that ended, with the last lines of its log."""
        return ConfigurationError(
            _(
                "%(name)s stopped (exit code %(returncode)s):\n%(last_lines)s",
                name=self.name,
                returncode=str(self._started.returncode),
                last_lines=self._last_lines(),
            )
        )

    @property
    def has_ended(self) -> bool:
        """Whether the program was started and has ended."""
        return self._process is not None and self._process.returncode is not None

    async def stop(self) -> None:
        """Ask the program to stop and wait. Kill it, with its own child processes, if it does not stop."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)  # it leads its process group
            await process.wait()

    @property
    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process

    def _last_lines(self) -> str:
        if self._log is None:
            return indent(_("(its output is above)").said, "  ")
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
        return indent("\n".join(lines) or _("(no output)").said, "  ", lambda _line: True)
