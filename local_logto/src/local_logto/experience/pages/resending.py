"""Resending a code: allowed after 59 seconds. This is a rule of Logto's pages, not of its API."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from quart import request

from local_logto.experience.pages.forms import FormPage, SideAction
from local_logto.store import Store
from local_logto.translation import _
from local_logto.verification_codes import find_age

SENT_AGAIN: Final = "code-sent"  # the notice that the page shows afterwards
_AFTER_MS: Final = 59_000


def with_resend(store: Store, verification_id: str, page: FormPage) -> FormPage:
    """Return the page with the button that resends this verification's code, and how long it has to wait."""
    age = find_age(store, verification_id)
    wait = 0 if age is None else max(0, -(-(_AFTER_MS - age) // 1000))
    button = SideAction(_("Resend verification code"), "resend", _("Not received yet?"), wait)
    notice = _("A new code was sent.") if request.args.get("notice") == SENT_AGAIN else page.notice
    return replace(page, side_actions=(*page.side_actions, button), notice=notice)
