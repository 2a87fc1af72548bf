"""A demo program that ignores SIGTERM is killed together with its child processes."""

from __future__ import annotations

import asyncio
import os
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from saas_app.demo import child
from saas_app.demo.child import Child

pytestmark = pytest.mark.one_database

_STUBBORN = """
    import signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(worker.pid, flush=True)
    time.sleep(60)
"""


async def test_a_program_that_ignores_sigterm_leaves_no_worker_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_STOP_TIMEOUT", 0.2)
    (tmp_path / "stubborn.py").write_text(textwrap.dedent(_STUBBORN))
    log = tmp_path / "log"
    program = Child("stubborn", ["stubborn"], {**os.environ, "PYTHONPATH": str(tmp_path)}, log)

    await program.start()
    await asyncio.to_thread(_eventually, lambda: log.read_text().strip())
    worker = int(log.read_text())
    assert _is_running(worker)
    await program.stop()

    assert program.has_ended
    await asyncio.to_thread(_eventually, lambda: not _is_running(worker))


def _eventually(holds: Callable[[], object]) -> None:
    """Wait up to 30 seconds until the condition is true."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    """Return whether a process is running. A zombie is not."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
