"""What any module may ask of the running application: its store, its settings, a request's origin."""

from __future__ import annotations

from typing import cast

from quart import Request, current_app

from local_logto.settings import Settings
from local_logto.store import Store


def current_store() -> Store:
    return cast(Store, current_app.extensions["store"])


def current_settings() -> Settings:
    return cast(Settings, current_app.extensions["settings"])


def origin_of(request: Request) -> str:
    """Return the origin that the caller used. Logto builds every URL from it, except the issuer."""
    return f"{request.scheme}://{request.host}"
