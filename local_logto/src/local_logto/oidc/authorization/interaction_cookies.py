"""The cookies that connect a browser with its interaction, on the sign-in pages and on the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from quart import Response, request

from local_logto.crypto.signed_cookies import EXPERIENCE, INTERACTION, RESUME, write_cookie
from local_logto.oidc.authorization import first_screen
from local_logto.oidc.session.interactions import Interaction, interaction_uids, resume_path

REMEMBERED_INTERACTIONS: Final = 20


def write_interaction_cookies(response: Response, interaction: Interaction) -> None:
    """Tie the browser to the interaction: on its pages, and at the URL where it resumes."""
    client_id, uid, expires_at = interaction.client_id, interaction.uid, interaction.expires_at
    shared = first_screen.shared_by_pages(interaction.params, client_id)
    write_cookie(response, EXPERIENCE, _cookie_json(shared), http_only=False)
    known = interaction_uids(request)
    known.pop(client_id, None)
    known.pop("_legacy", None)
    latest = dict(list(known.items())[1 - REMEMBERED_INTERACTIONS :])
    uids = {**latest, client_id: uid, "_legacy": uid}
    write_cookie(response, INTERACTION, _cookie_json(uids), expires_at_ms=expires_at)
    write_cookie(response, RESUME, uid, path=resume_path(interaction), expires_at_ms=expires_at)


def _cookie_json(value: Mapping[str, str]) -> str:
    """Return JSON that is valid in a cookie: ASCII without semicolons."""
    return json.dumps(value, separators=(",", ":")).replace(";", "\\u003b")
