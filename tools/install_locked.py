"""Install the packages of lock files with pip, and show progress.

``make setup`` runs this with the Python of the new environment, so it uses the standard library only.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TextIO

_INTERVAL: Final = 0.5  # seconds between two checks
_STEPS_IN_A_LOG: Final = 4  # lines, if the output is not a terminal


class Progress:
    """A display of ``done`` of ``total``: on a terminal one line that changes, in a log a few lines."""

    def __init__(self, what: str, total: int, output: TextIO) -> None:
        self._what, self._total, self._output = what, total, output
        self._shown = -1

    def show(self, done: int) -> None:
        """Show the number if it has changed enough for this kind of output."""
        done = min(done, self._total)
        if self._output.isatty():
            if done != self._shown:
                self._output.write(f"\r  {self._what}: {done} of {self._total}")
                self._shown = done
        else:
            step = done * _STEPS_IN_A_LOG // self._total
            if step > max(self._shown, 0):
                self._output.write(f"  {self._what}: {done} of {self._total}\n")
                self._shown = step
        self._output.flush()

    def end(self) -> None:
        """Move the cursor to the start of a new line. Call it once."""
        if self._shown >= 0 and self._output.isatty():
            self._output.write("\n")
            self._output.flush()


def count_packages(lock: str) -> int:
    """Return the number of different packages in the text of lock files."""
    return len(set(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", lock, re.MULTILINE)))


def install(locks: Sequence[Path], *, output: TextIO = sys.stdout) -> int:
    """Run pip on ``locks``, show progress, and return the exit code. If pip fails, print its last lines."""
    total = count_packages("\n".join(lock.read_text(encoding="utf-8") for lock in locks))
    site = Path(next(path for path in sys.path if path.endswith("site-packages")))
    before = _installed(site)
    command = [
        sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
        "--progress-bar", "off", "--require-hashes",
        *(argument for lock in locks for argument in ("-r", str(lock))),
    ]  # fmt: skip
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)  # noqa: S603 - pip, no shell
        code = _follow(process, said, total, lambda: _installed(site) - before, output)
        if code:
            said.seek(0)
            output.write("".join(said.readlines()[-20:]))
        return code


def _follow(
    process: subprocess.Popen[bytes],
    said: TextIO,
    total: int,
    installed: Callable[[], int],
    output: TextIO,
) -> int:
    progress, is_installing = Progress("downloaded", total, output), False
    while (code := process.poll()) is None:
        said.seek(0)
        text = said.read()
        if not is_installing and "Installing collected packages" in text:
            progress.end()
            progress, is_installing = Progress("installed", total, output), True
        progress.show(installed() if is_installing else len(re.findall(r"^Collecting ", text, re.MULTILINE)))
        time.sleep(_INTERVAL)
    if code == 0 and is_installing:
        progress.show(total)
    progress.end()
    return code


def _installed(site: Path) -> int:
    return sum(1 for _ in site.glob("*.dist-info"))


if __name__ == "__main__":
    sys.exit(install([Path(name) for name in sys.argv[1:]]))
