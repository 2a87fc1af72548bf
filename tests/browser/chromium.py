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


def find_headless() -> str | None:
    """The path of what draws pages fastest: Chromium without windows where it is installed, else the browser.

    Debian's ``chromium-headless-shell`` takes a third less time, but keeps no pages for the back button.
    """
    if os.environ.get("CHROMIUM"):
        return find_chromium()
    return shutil.which("chromium-headless-shell") or find_chromium()


def is_required() -> bool:
    """Whether a missing browser is a failure, as it is at the gate."""
    return os.environ.get("REQUIRE_BROWSER") == "1"
