"""The page of an organization's settings on which one of two versions is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from quart import request, url_for
from quart.typing import ResponseReturnValue

from saas_app.audit.last_saves import find_last_save
from saas_app.organizations.pages.settings import blueprint
from saas_app.organizations.values import Details, SettingsConflict, version_of
from saas_app.text.branding import Branding
from saas_app.text.translation import Sentence, _
from saas_app.web.templating import render

__all__ = ["blueprint"]

_FORMS: Final[Mapping[type[Details] | type[Branding], tuple[str, Mapping[str, Sentence]]]] = {
    Details: ("save_details", {"name": _("Name"), "description": _("Description")}),
    Branding: (
        "save_branding",
        {"logo": _("Logo"), "dark_logo": _("Logo for dark pages"), "color": _("Color")},
    ),
}
"""By the values of a form: the route that saves them, and the labels of its fields."""


@blueprint.errorhandler(SettingsConflict)
async def choose_side(error: SettingsConflict) -> ResponseReturnValue:
    """Show both versions after a conflict, and let the caller choose the one to keep."""
    route, labels = _FORMS[type(error.theirs)]
    organization_id = str((request.view_args or {})["organization_id"])
    theirs = asdict(error.theirs)
    page = render(
        "organizations/settings_conflict.html",
        sides=[
            (field, label, theirs[field] or "", getattr(error.yours, field) or "")
            for field, label in labels.items()
        ],
        seen=version_of(error.theirs),
        changed=error.changed,
        last=await find_last_save(organization_id, {name: theirs[name] for name in error.changed_meanwhile}),
        action=url_for(f"organization_settings.{route}", organization_id=organization_id),
        root=url_for("organization_settings.show_settings", organization_id=organization_id),
    )
    return page, error.status
