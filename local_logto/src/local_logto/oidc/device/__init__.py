"""Signing in on a device without a keyboard: the person enters its code in a browser elsewhere (RFC 8628).

``requests`` is the device's side, ``codes`` the codes it gets, ``browser`` the person's side.
``token.device_code`` issues the device's tokens.
"""

from __future__ import annotations
