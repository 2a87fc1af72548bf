"""Measurements. Never part of the tests: numbers differ from machine to machine.

They drive Logto with the client of the provider's contract tests, as the tests do.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "local_logto" / "tests"))
