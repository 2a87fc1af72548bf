"""The tenant's own email templates (``/api/email-templates``), which take precedence over a connector's."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from local_logto.connectors.templates import GENERIC
from local_logto.settings_rows import SIGN_IN_EXP, read_setting
from local_logto.store import Store, metadata

email_templates = sa.Table(
    "email_templates",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("language_tag", sa.String, nullable=False),
    sa.Column("template_type", sa.String, nullable=False),
    # {"subject", "content", "contentType"?, "replyTo"?, "sendFrom"?}
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("language_tag", "template_type"),
)
_c = email_templates.c


def find_custom_template(store: Store, usage: str, locale: str | None) -> dict[str, Any] | None:
    """Return the details of the template for this usage, or None.

    The reader's language comes first, then the fallback language, then the ``Generic`` template in the
    fallback language. A stored ``Generic`` therefore takes precedence over everything in a connector.
    """
    query = sa.select(_c.language_tag, _c.template_type, _c.details)
    with store.begin() as connection:
        stored = {(tag, kind): details for tag, kind, details in connection.execute(query)}
    if not stored:
        return None
    settings = read_setting(store, SIGN_IN_EXP)
    fallback = settings.get("languageInfo", {}).get("fallbackLanguage", "en")
    wanted = ((locale, usage), (fallback, usage), (fallback, GENERIC))
    return next((stored[key] for key in wanted if key in stored), None)
