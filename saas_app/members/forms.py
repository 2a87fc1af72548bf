"""Reads the queries and forms of the member pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from werkzeug.datastructures import MultiDict

from saas_app.errors import BadRequest
from saas_app.members.roles import read_choice
from saas_app.members.values import MembersFilter, MemberSort, WantedRoles
from saas_app.text.translation import _
from saas_app.web.durations import Duration, read_end
from saas_app.web.typed_text import clean_line, whole_number

SEARCH_LENGTH = 128
_ROLE_LENGTH = 128  # Logto 1.42 accepts no longer name
_PAGE_DIGITS = 6
_NO_END = "none"


def read_filter(query: Mapping[str, str]) -> MembersFilter:
    """Read the filter of the list. Raises :class:`BadRequest` for a page that is not a number."""
    return MembersFilter(
        search=clean_line(query.get("q"))[:SEARCH_LENGTH],
        role=clean_line(query.get("role"))[:_ROLE_LENGTH],
        sort=next((sort for sort in MemberSort if sort.value == query.get("sort")), MemberSort.LOGTO),
        page=_read_page(query.get("page", "1")),
    )


def read_wanted_roles(user_id: str, form: MultiDict[str, str]) -> WantedRoles:
    """Read the choice of a form.

    Raises :class:`BadRequest`, and :class:`Invalid` for other roles and for an end that is no date.
    """
    return WantedRoles(
        user_id=user_id,
        seen=_read_seen(form.getlist("seen")),
        chosen=read_choice(form.getlist("roles")),
        accepts_own_loss=form.get("own_loss") == "yes",
        until=read_end(form, Duration.NO_END),
    )


def seen_fields(role_names: Collection[str]) -> list[tuple[str, str]]:
    """Return hidden fields with the roles that a member has as the form is opened, after an empty one."""
    return [("seen", ""), *(("seen", name) for name in sorted(role_names))]


def seen_end_field(end: datetime | None) -> tuple[str, str]:
    """Return the hidden field with the end that a role has as the form is opened."""
    return ("seen", _NO_END if end is None else end.isoformat())


def read_seen_end(form: Mapping[str, str]) -> datetime | None:
    """Read what :func:`seen_end_field` wrote. Raises :class:`BadRequest`."""
    seen = form.get("seen", "")
    try:
        return None if seen == _NO_END else datetime.fromisoformat(seen)
    except ValueError:
        raise BadRequest(
            _("The form does not say which end it was opened with. Reload the page and try again.")
        ) from None


def _read_seen(names: Sequence[str]) -> frozenset[str]:
    if "" not in names:
        raise BadRequest(
            _("The form does not say which roles it was opened with. Reload the page and try again.")
        )
    return frozenset(names) - {""}


def _read_page(text: str) -> int:
    page = whole_number(text, _PAGE_DIGITS)
    if not page:
        raise BadRequest(_("This page address is not valid. Start from the first page."))
    return page
