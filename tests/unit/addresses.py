"""Asking whether a text is an email address, where a test needs a yes or a no."""

from __future__ import annotations

from saas_app.text.addresses import NotAnAddress, read_address


def is_address(typed: str) -> bool:
    """Return whether a text is an email address."""
    try:
        read_address(typed)
    except NotAnAddress:
        return False
    return True
