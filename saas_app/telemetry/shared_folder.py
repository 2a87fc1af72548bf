"""The folder in which several workers write their metrics, so that one of them can show the sum.

``prometheus_client`` decides when it is imported whether to write there, so this module does not import it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def folder_for_workers() -> Iterator[None]:
    """Make an empty folder for the workers that start in the block, and delete it after them."""
    with TemporaryDirectory(prefix="workroom-metrics-") as folder:
        os.environ[_VARIABLE] = folder
        yield


def find_folder() -> Path | None:
    """Return the folder, or None in a process that is the only worker."""
    folder = os.environ.get(_VARIABLE)
    return Path(folder) if folder else None
