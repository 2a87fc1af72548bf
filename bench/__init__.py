"""Benchmarks: what requests cost, beside lean twins and beside another commit. See docs/performance.md.

They are not part of the tests, because numbers differ from machine to machine. Like the tests, they control
Logto with the client of the provider's contract tests.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "local_logto" / "tests"))
