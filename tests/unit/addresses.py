"""A yes-or-no answer to whether a text is an email address."""

from __future__ import annotations

from saas_app.text.addresses import NotAnAddress, read_address


def is_address(typed: str) -> bool:
    """Return whether a text is an email address."""
    try:
        read_address(typed)
    except NotAnAddress:
        return False
    return True
