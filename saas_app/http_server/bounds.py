"""What a client may ask of one connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of one server process. Times are seconds, sizes bytes.

    A request body may take ``body_timeout``, and a second more for every ``body_rate`` bytes that arrived.
    ``send_timeout`` is how long a client may take to read what was sent to it. A refused client gets
    ``linger_timeout`` and ``linger_size`` to read the refusal while it is still sending.
    """

    head_size: int = 32 * 1024
    header_count: int = 100
    head_timeout: float = 10
    body_timeout: float = 20
    body_rate: float = 25_000
    send_timeout: float = 60
    connections: int = 1000
    linger_timeout: float = 2
    linger_size: int = 4 * 1024 * 1024
