"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PROVISION: Final = "saas-app provision --write-env .env"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. ``remedy`` is the command or the step that mends it."""

    name: str
    passed: bool
    found: str
    remedy: str = ""
