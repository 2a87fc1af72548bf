"""The path of the browser, and the message if none is installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MISSING = "Browser tests were skipped: Chromium was not found. Install it, or set CHROMIUM=/path/to/chromium"

ARGUMENTS = [
    "--no-sandbox",  # containers often have no user namespaces; only our own pages are opened
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--renderer-process-limit=1",  # the pages of a test act one after the other; each process costs its start
]


def find_chromium() -> str | None:
    """Return the browser's path: ``CHROMIUM`` if it is set, otherwise the installed ``chromium``."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    return path if Path(path).exists() else None


def find_headless() -> str | None:
    """Return the path of ``chromium-headless-shell`` if it is installed, otherwise the browser's.

    Debian's ``chromium-headless-shell`` is a third faster, but has no back/forward cache.
    """
    if os.environ.get("CHROMIUM"):
        return find_chromium()
    return shutil.which("chromium-headless-shell") or find_chromium()


def is_required() -> bool:
    """Return whether a missing browser is a failure, as in the gate."""
    return os.environ.get("REQUIRE_BROWSER") == "1"
