"""Looks up TXT records, within a time limit and without blocking, and tells "no record" from "no answer"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from saas_app.config import Nameserver
from saas_app.text.translation import Sentence

_LOOK_UP_TIMEOUT: Final = 5.0  # seconds, for all nameservers and attempts together


@dataclass(frozen=True, slots=True)
class TxtAnswer:
    """The TXT records of a name. ``problem`` says why the lookup failed, if it did."""

    values: frozenset[str] = frozenset()
    problem: Sentence | None = None


class TxtResolver:
    """Looks up TXT records at the given nameservers, or at those of this machine."""

    def __init__(self, nameservers: Sequence[Nameserver] = (), *, timeout: float = _LOOK_UP_TIMEOUT) -> None:
        self._nameservers = tuple(nameservers)
        self._timeout = timeout

    async def look_up(self, name: str) -> TxtAnswer:
        """Return the TXT records of an absolute name. The strings of each are joined (RFC 7208 §3.3)."""
        from saas_app.email_domains.dns_queries import query_txt  # imports dnspython, which is seldom needed

        return await query_txt(name, self._nameservers, self._timeout)
