"""Progress of ``make setup``: one changing line on a terminal, a few lines in a log."""

from __future__ import annotations

import io

import pytest

from tools.install_locked import Progress, count_packages

pytestmark = pytest.mark.one_database


class Terminal(io.StringIO):
    """An output that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_log_gets_one_line_per_quarter() -> None:
    log = io.StringIO()
    progress = Progress("installed", 100, log)
    for done in (0, 1, 24, 26, 27, 60, 99, 100, 100):
        progress.show(done)
    progress.end()

    assert log.getvalue().splitlines() == [
        "  installed: 26 of 100",
        "  installed: 60 of 100",
        "  installed: 99 of 100",
        "  installed: 100 of 100",
    ]


def test_a_terminal_gets_one_line_that_changes() -> None:
    terminal = Terminal()
    progress = Progress("installed", 3, terminal)
    for done in (1, 1, 2, 9):
        progress.show(done)
    progress.end()

    assert terminal.getvalue() == "\r  installed: 1 of 3\r  installed: 2 of 3\r  installed: 3 of 3\n"


def test_a_package_locked_for_two_interpreters_counts_once() -> None:
    lock = "one==1 \\\n    --hash=sha256:0\ntwo[extra]==1 ; python_full_version < '3.12' \\\ntwo==2 \\\n"

    assert count_packages(lock) == 2
