"""The permission registry as a table, for the terminal and for a page of the docs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from saas_app.errors import ConfigurationError
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Permission, Role
from saas_app.text.translation import Sentence, _, said

START: Final = "<!-- permissions: written by 'saas-app permissions --markdown' -->"
END: Final = "<!-- /permissions -->"


def as_text() -> str:
    """Return the table for a terminal, in aligned columns."""
    head = [_("permission").said, _("token").said, *Role]
    rows = [head, *([said(cell) for cell in _row(permission)] for permission in Permission)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def as_markdown() -> str:
    """Return the table as Markdown, with a description of each permission."""
    lines = [
        f"| permission | allows to | travels in | {' | '.join(f'`{role}`' for role in Role)} |",
        "|" + "---|" * (3 + len(Role)),
    ]
    for permission in Permission:
        name, carrier, *held = _row(permission)
        lines.append(f"| `{name}` | {permission.description} | {carrier} | {' | '.join(held)} |")
    return "\n".join(lines)


def _row(permission: Permission) -> list[str]:
    held = [_("yes") if permission in ROLE_PERMISSIONS[role] else "–" for role in Role]
    return [permission.value, Sentence(permission.carrier.value), *held]


def update_page(path: Path, *, check: bool) -> bool:
    """Write the table between its markers on a page. With ``check``, only compare.

    Return whether the page was up to date. Raises :class:`ConfigurationError` if the page or its markers are
    missing.
    """
    try:
        page = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(_("%(path)s was not found.", path=path)) from None
    before, start, rest = page.partition(START)
    _rest, end, after = rest.partition(END)
    if not start or not end:
        raise ConfigurationError(
            _(
                "%(path)s has no lines %(start)s and %(end)s, which enclose the table.",
                path=path,
                start=START,
                end=END,
            )
        )
    updated = f"{before}{START}\n{as_markdown()}\n{END}{after}"
    if updated != page and not check:
        path.write_text(updated, encoding="utf-8")
    return updated == page
