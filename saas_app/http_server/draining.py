"""The state of a server that is about to stop. It goes on serving, and says so.

A load balancer then sends new requests elsewhere before the first connection is refused, and connections
that it keeps are closed by a response rather than under a request.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, Final

_STATE: Final = "draining"


def begin_draining(state: MutableMapping[str, Any]) -> None:
    """Mark the server, by the state of its lifespan. Every later request carries a copy."""
    state[_STATE] = True


def is_draining(state: Mapping[str, Any]) -> bool:
    """Return whether the server is about to stop, from its state or a request's copy of it."""
    return _STATE in state
