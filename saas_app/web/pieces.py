"""The smallest parts of a page, as filters: icons, badges, names.

Jinja applies a filter to constants once, when it compiles the template: ``{{ 'plus'|icon }}`` costs a request
nothing. A macro would be called again each time, so macros are for larger parts (``templates/components/``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final
from zlib import crc32

from markupsafe import Markup

from saas_app.rbac.permissions import Role, in_role_order
from saas_app.text.pictures import shown_picture
from saas_app.text.translation import _
from saas_app.text.visible import initial, runs_right_to_left, shows_something
from saas_app.web.static_files import static_url


def icon(name: str, label: str = "") -> Markup:
    """Return a symbol of ``icons.svg``. It is read aloud as ``label``; without one it is decoration."""
    how = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(
        how, static_url("icons.svg"), name
    )


def badge(text: str, tone: str = "") -> Markup:
    """Return a small label. The tone is "", accent, positive, negative or caution."""
    classes = f"badge badge-{tone}" if tone else "badge"
    return Markup('<span class="{}">{}</span>').format(classes, text)


def initials(name: str) -> str:
    """Return one or two letters for a name: of its first two words, without the host of an address."""
    words = name.partition("@")[0].split()
    return "".join(map(initial, words[:2])) or "?"


@lru_cache(maxsize=4096)
def avatar(key: str, name: str, picture: str | None = None, shape: str = "") -> Markup:
    """Return the picture of a person or an organization, or the initials on a tint, as decoration.

    The tint comes from ``key``, which is the id, so it is the same everywhere. The style sheet
    shows the initials if the picture does not load. The shape is "", square or large.
    ``{{ member.id|avatar(member.name, member.picture) }}``
    """
    shape = f" avatar-{shape}" if shape else ""
    tint = crc32(key.encode()) % TINTS
    letters, shown = initials(name), shown_picture(picture)
    image = _PICTURE.format(shown, letters) if shown else ""
    return _AVATAR.format(shape, tint, letters, image)


def role_badges(names: Iterable[str]) -> Markup:
    """Return the badges of organization roles, in the registry's order."""
    badges = [_ROLE_BADGES.get(name) or badge(name) for name in in_role_order(names)]
    return Markup(" ").join(badges or [badge(_("No role"))])


def shown_name(value: Any) -> Any:
    """Return a name or an address for an element: always visible, and isolated from the text around it.

    Right-to-left words would otherwise reorder the punctuation and numbers beside them. In attributes and
    inside sentences, the filter ``isolated`` does the same.
    """
    if not isinstance(value, str):
        return value
    if not shows_something(value):
        return _NO_NAME
    return Markup("<bdi>{}</bdi>").format(value) if runs_right_to_left(value) else value


_NO_NAME: Final = _("(blank name)")  # the text of :func:`saas_app.text.visible.isolated`
TINTS: Final = 8  # classes tint-0 to tint-7 of the style sheet
_AVATAR: Final = Markup('<span class="avatar{} tint-{}" aria-hidden="true"><span>{}</span>{}</span>')
_PICTURE: Final = Markup(
    '<img src="{}" alt="" data-initials="{}" loading="lazy" referrerpolicy="no-referrer">'
)
_ROLE_BADGES: Final = {role.value: badge(role.value, "accent" if role is Role.ADMIN else "") for role in Role}
