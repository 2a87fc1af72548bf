"""``WWW-Authenticate``: tells a program which token it needs (RFC 6750 §3, RFC 9470, RFC 9728 §5.1)."""

from __future__ import annotations

from saas_app.errors import AppError, FreshSignInRequired, InvalidToken, PermissionDenied, SignInRequired
from saas_app.web.context import runtime

METADATA_PATH = "/.well-known/oauth-protected-resource"


def challenge_for(error: AppError) -> str | None:
    """Return the header for an error that another token would fix, or None for other errors."""
    if isinstance(error, SignInRequired):
        return _bearer()
    if isinstance(error, InvalidToken):
        return _bearer(error="invalid_token", error_description=error.detail)
    if isinstance(error, FreshSignInRequired):
        return _bearer(error="insufficient_user_authentication", max_age=str(error.max_age))
    if isinstance(error, PermissionDenied) and error.decision.permission is not None:
        return _bearer(
            error="insufficient_scope",
            error_description=error.decision.decided_by.explanation,
            scope=error.decision.permission.value,
        )
    return None


def _bearer(**parameters: str) -> str:
    metadata = f"{runtime().settings.app_url}{METADATA_PATH}"
    pairs = {**parameters, "resource_metadata": metadata}
    return "Bearer " + ", ".join(f'{name}="{_quotable(value)}"' for name, value in pairs.items())


def _quotable(text: str) -> str:
    """Return the text in the characters that RFC 6750 allows between quotes."""
    return "".join(char if " " <= char <= "~" and char not in '"\\' else "?" for char in text)
