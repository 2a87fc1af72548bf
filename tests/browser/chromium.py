"""Where the browser is, and what to say where there is none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MISSING = "Browser tests were left out: no Chromium here. Install it, or name one: CHROMIUM=/path/to/chromium"

ARGUMENTS = [
    "--no-sandbox",  # a container's user has no namespaces to sandbox with; only our own pages are opened
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find_chromium() -> str | None:
    """The browser's path: ``CHROMIUM`` where that is set, else the ``chromium`` that is installed."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    return path if Path(path).exists() else None


def is_required() -> bool:
    """Whether a missing browser is a failure, as it is at the gate."""
    return os.environ.get("REQUIRE_BROWSER") == "1"
