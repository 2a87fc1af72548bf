"""The flaws, in the order of the lessons. Each is a module with a ``FLAW``."""

from __future__ import annotations

from typing import Final

from saas_app.lab.broken.flaw import Flaw
from saas_app.lab.broken.flaws import (
    audience_unchecked,
    cache_without_organization,
    guessed_id,
    role_from_body,
    role_name_checked,
    tenant_filter_forgotten,
)

FLAWS: Final[dict[str, Flaw]] = {
    module.FLAW.slug: module.FLAW
    for module in (
        guessed_id,
        role_from_body,
        audience_unchecked,
        tenant_filter_forgotten,
        role_name_checked,
        cache_without_organization,
    )
}
