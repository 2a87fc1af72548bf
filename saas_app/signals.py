"""What happens inside Workroom that operators count: signals, sent where it happens, and received by metrics.

By default nothing receives them, and sending one takes less than a microsecond. What they carry comes from
small fixed sets, such as the permissions of the registry. It is never a token, or the id of a person or an
organization.
"""

from __future__ import annotations

from typing import Final

from blinker import Signal

access_decided: Final = Signal()
"""The ladder decided about a request in an organization: ``permission``, ``outcome``."""

token_missed: Final = Signal()
"""A session had no cached token that may be used: ``reason``."""

refresh_shared: Final = Signal()
"""A request got tokens without a call of its own, because another one fetched them: ``by``."""

limit_reached: Final = Signal()
"""A caller got a 429: ``limit``, the name of the policy."""

role_ended: Final = Signal()
"""A role that ended was taken away at Logto, or not: ``result``, and ``late``, the seconds since its end."""

removal_ended: Final = Signal()
"""A run that removes the data of deleted organizations has ended: ``result``, ``ok`` or ``failed``."""
