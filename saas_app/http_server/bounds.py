"""The limits of the HTTP server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of one server process. Times are in seconds, sizes in bytes.

    A request body may take ``body_timeout``, and a second longer for every ``body_rate`` bytes that arrived.
    ``send_timeout`` is how long a client may take to read a response. A client that is rejected while it is
    still sending can read the response for ``linger_timeout``, or until it has sent ``linger_size`` more.
    When the server stops, a client that has just connected has ``last_timeout`` to begin its request.
    """

    head_size: int = 32 * 1024
    header_count: int = 100
    head_timeout: float = 10
    body_timeout: float = 20
    body_rate: float = 25_000
    send_timeout: float = 60
    last_timeout: float = 0.5
    connections: int = 1000
    linger_timeout: float = 2
    linger_size: int = 4 * 1024 * 1024
