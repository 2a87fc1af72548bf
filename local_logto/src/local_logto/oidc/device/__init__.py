"""Signing in on a device without a keyboard: the person types its code into a browser elsewhere (RFC 8628).

``requests`` is what the device asks, ``codes`` what it is given, ``browser`` the way of the person. How the
device gets its tokens is in ``token.device_code``.
"""

from __future__ import annotations
