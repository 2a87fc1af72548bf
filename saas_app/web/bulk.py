"""Several rows with one action: what the form in ``components/bulk.html`` sends, and the answers to it.

Each action is a route with its own permission. A list works without a script: its checkboxes belong to one
form, whose buttons have the addresses of the actions.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from quart import redirect, request
from quart.typing import ResponseReturnValue

from saas_app.changes.rows import MAX_ROWS, ChosenRow, RowResult
from saas_app.errors import BadRequest, Invalid
from saas_app.identity.return_paths import own_path
from saas_app.text.translation import Sentence, _
from saas_app.web.notices import notify
from saas_app.web.templating import render
from saas_app.web.typed_text import whole_number

_ROW: Final = "row"
_UNKNOWN: Final[Mapping[str, object]] = {}


async def read_rows(most: int = MAX_ROWS) -> list[ChosenRow]:
    """Return the chosen rows, each once. Raises :class:`Invalid` for none or more than ``most``."""
    sent = list(dict.fromkeys((await request.form).getlist(_ROW)))
    if not sent:
        raise Invalid(_("Nothing is selected. Go back, select at least one row, and try again."))
    if len(sent) > most:
        raise Invalid(_("Select at most %(number)s rows at a time.", number=most))
    return [_row(value) for value in sent]


async def read_versions() -> dict[uuid.UUID, int]:
    """Return the chosen rows of our own tables: ids with the versions that their author saw.

    Raises :class:`Invalid`, and :class:`BadRequest` for a value that no list contains.
    """
    return dict(map(_id_and_version, await read_rows()))


async def is_confirmed() -> bool:
    """Return whether the form is the one that :func:`ask` showed."""
    return (await request.form).get("confirmed") == "yes"


async def back_to(default: str) -> str:
    """Return the address of the list that the form stood on."""
    return own_path((await request.form).get("back", ""), default)


async def ask(
    heading: Sentence, warning: Sentence, button: Sentence, names: Sequence[str], back: str
) -> ResponseReturnValue:
    """Ask for confirmation, once for all chosen rows. If none of them is left, say so instead."""
    if not names:
        await notify(_("What you selected no longer exists. Nothing was changed."), "info")
        return redirect(back, 303)
    return render(
        "bulk/confirm.html",
        heading=heading,
        warning=warning,
        button=button,
        names=names,
        rows=(await request.form).getlist(_ROW),
        back=back,
    )


async def report(
    heading: Sentence,
    done: Sentence,
    results: Sequence[RowResult],
    back: str,
    last: Mapping[str, object] = _UNKNOWN,
) -> ResponseReturnValue:
    """Return to the list with the notice ``done`` if every row was changed, or show each row's result.

    ``last`` says by id who saved the rows that had changed (``audit.values.LastSave``).
    """
    if all(result.is_done for result in results):
        await notify(done)
        return redirect(back, 303)
    return render("bulk/results.html", heading=heading, results=results, last=last, back=back)


_UNREADABLE: Final = _("The selection could not be read. Reload the list and try again.")


def _row(value: str) -> ChosenRow:
    row_id, separator, version = value.partition(":")
    if not (row_id and separator):
        raise BadRequest(_UNREADABLE)
    return ChosenRow(row_id, version)


def _id_and_version(row: ChosenRow) -> tuple[uuid.UUID, int]:
    version = whole_number(row.version)
    try:
        row_id = uuid.UUID(row.id)
    except ValueError:
        raise BadRequest(_UNREADABLE) from None
    if version is None:
        raise BadRequest(_UNREADABLE)
    return row_id, version
