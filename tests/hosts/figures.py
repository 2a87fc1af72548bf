"""The summary of a test run: what became of the requests of each scenario with several hosts."""

from __future__ import annotations

from typing import Final

import pytest

FIGURES: Final = "figures"
"""The name of the property of a test that holds its figures."""


def show_figures(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the figures of all tests that noted some."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    lines = [value for report in reports for name, value in report.user_properties if name == FIGURES]
    if lines:
        terminalreporter.section("several hosts")
    for line in sorted(lines):
        terminalreporter.write_line(line)
