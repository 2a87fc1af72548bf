"""Imports structlog without ``rich``, which development tools install.

structlog would load it for tracebacks with all local variables. Workroom never shows those, because they may
contain secrets, and production has no ``rich``. Programs import this before other modules that use structlog.
"""

from __future__ import annotations

import sys

_hides = "rich" not in sys.modules
if _hides:
    sys.modules["rich"] = None  # type: ignore[assignment]  # importing it fails
try:
    import structlog
finally:
    if _hides:
        del sys.modules["rich"]

__all__ = ["structlog"]
