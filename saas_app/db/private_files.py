"""Private files, such as databases: only their owner may read them."""

from __future__ import annotations

import logging
import stat
from pathlib import Path
from typing import Final

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_COMPANION_SUFFIXES: Final = ("-wal", "-shm", "-journal")  # SQLite gives new ones the mode of the database

log = logging.getLogger(__name__)


def prepare_private_database(path: Path) -> None:
    """Create a SQLite file and its folder, if needed, for their owner only. Tighten an existing file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    for file in (path, *(path.with_name(path.name + ending) for ending in _COMPANION_SUFFIXES)):
        tighten(file)


def tighten(path: Path) -> None:
    """Remove the permissions of other users from our file or folder, if it exists, and log that."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _OTHERS:
            path.chmod(mode & ~_OTHERS)
            log.warning("%s was readable by other users. It is now readable only by its owner.", path)
    except FileNotFoundError:
        return
    except PermissionError:
        log.warning(
            "%s is readable by other users and belongs to another user. Its permissions were not changed.",
            path,
        )
