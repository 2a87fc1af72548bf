"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PROVISION: Final = "saas-app provision --write-env .env"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. ``remedy`` is the command or the step that fixes a failure."""

    name: str
    passed: bool
    found: str
    remedy: str = ""
