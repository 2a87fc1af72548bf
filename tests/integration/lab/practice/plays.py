"""How each “break it” lesson is played: requests that leak nothing, the leak, and what each fix fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Form = dict[str, str]


def get(path: str, token: str) -> Form:
    return {"method": "GET", "path": path, "token": token, "body": ""}


def post(path: str, token: str, body: str) -> Form:
    return {"method": "POST", "path": path, "token": token, "body": body}


@dataclass(frozen=True, slots=True)
class Play:
    """``honest`` leaks nothing. The last of ``attack`` leaks. ``failing``: the checks that each fix fails."""

    honest: Form
    attack: tuple[Form, ...]
    failing: dict[str, list[int]]

    @property
    def right(self) -> str:
        """The fix that fails no check."""
        (found,) = [name for name, failed in self.failing.items() if not failed]
        return found

    @property
    def wrong(self) -> str:
        """A fix that fails a check."""
        return next(name for name, failed in self.failing.items() if failed)


PLAYS: Final[dict[str, Play]] = {
    "guessed-id": Play(
        get("/reports", "workshop"),
        (get("/reports/1", "workshop"),),
        {"by_random_code": [2], "by_id_and_organization": [], "by_id_then_compared": [3]},
    ),
    "role-from-body": Play(
        post("/reports/search", "studio", '{"role": "viewer"}'),
        (post("/reports/search", "studio", '{"role": "admin"}'),),
        {"role_of_a_header": [4], "role_of_the_body_checked": [3], "permission_of_the_token": []},
    ),
    "audience-unchecked": Play(
        get("/reports", "workshop"),
        (get("/reports", "elsewhere"),),
        {
            "audience_of_this_service": [],
            "any_audience_with_a_client": [2],
            "audience_of_our_own_product": [2],
        },
    ),
    "tenant-filter-forgotten": Play(
        get("/reports", "workshop"),
        (get("/reports/search?words=plan for", "workshop"),),
        {
            "search_with_a_condition": [1, 2, 3],
            "search_then_filter": [2, 3],
            "search_in_the_organization": [],
        },
    ),
    "role-name-checked": Play(
        get("/export", "workshop"),
        (get("/export", "studio"),),
        {
            "admin_of_this_organization": [2, 3],
            "permission_to_export": [],
            "admin_or_owner_of_this_organization": [2],
        },
    ),
    "cache-without-organization": Play(
        get("/summary", "workshop"),
        (get("/summary", "studio"),),
        {"kept_by_person": [2], "kept_by_address_for_a_moment": [2, 3], "kept_by_organization": []},
    ),
}
"""By flaw. After the honest request to a cache, the next one leaks."""
