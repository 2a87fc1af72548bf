"""Each flaw of the practice service leaks, its tempting fixes leak or break something, and one fix works."""

from __future__ import annotations

import pytest

from tests.integration.lab.practice.service import Practice, Workspace

HERE, THERE, SAM, ROSA = "mine at the workshop", "mine at the studio", "Sam's", "Rosa's"
ELSEWHERE = "Rosa's organization token"


def opened(workspace: Workspace, organization_id: str, *, confidential: bool = True) -> set[int]:
    """Return the reports that belong to an organization: those for admins too, or without them."""
    return {
        report["id"] for report in workspace.of(organization_id) if confidential or not report["confidential"]
    }


@pytest.mark.parametrize(
    ("variant", "leaks"),
    [
        ("by_id", True),
        ("by_random_code", True),
        ("by_id_then_compared", False),
        ("by_id_and_organization", False),
    ],
)
async def test_a_report_of_another_organization_is_opened_by_its_id(
    practice: Practice, variant: str, leaks: bool
) -> None:
    workspace = await practice.create("guessed-id", variant)
    foreign = workspace.of(practice.studio)[0]

    by_id = await workspace.reads(f"/reports/{foreign['id']}", HERE)
    by_code = await workspace.reads(f"/reports/{foreign['code']}", HERE)

    assert by_id | by_code == ({foreign["id"]} if leaks else set())


@pytest.mark.parametrize("variant", ["by_id", "by_id_then_compared", "by_id_and_organization"])
async def test_a_report_of_the_own_organization_is_opened_by_its_id(practice: Practice, variant: str) -> None:
    workspace = await practice.create("guessed-id", variant)
    own = workspace.of(practice.workshop)[0]

    assert await workspace.reads(f"/reports/{own['id']}", HERE) == {own["id"]}


@pytest.mark.parametrize(
    ("variant", "status"), [("by_id_then_compared", 403), ("by_id_and_organization", 404)]
)
async def test_a_comparison_afterwards_tells_that_a_foreign_report_exists(
    practice: Practice, variant: str, status: int
) -> None:
    workspace = await practice.create("guessed-id", variant)
    foreign = workspace.of(practice.studio)[0]

    assert (await workspace.send("/reports/999", HERE))[0] == 404
    assert (await workspace.send(f"/reports/{foreign['id']}", HERE))[0] == status


@pytest.mark.parametrize(
    ("variant", "leaks"),
    [
        ("role_of_the_body", {"admin"}),
        ("role_of_a_header", {"header"}),
        ("role_of_the_body_checked", {"Admin"}),
        ("permission_of_the_token", set()),
    ],
)
async def test_a_viewer_reads_confidential_reports_with_a_role_in_the_request(
    practice: Practice, variant: str, leaks: set[str]
) -> None:
    workspace = await practice.create("role-from-body", variant)
    confidential = opened(workspace, practice.studio) - opened(workspace, practice.studio, confidential=False)
    search = ("/reports/search", THERE, "POST")

    found = {
        "admin": await workspace.reads(*search, {"role": "admin"}),
        "Admin": await workspace.reads(*search, {"role": "Admin"}),
        "header": await workspace.reads(*search, {}, **{"X-Role": "admin"}),
    }

    assert {what for what, reports in found.items() if reports & confidential} == leaks


@pytest.mark.parametrize(
    ("variant", "leaks"),
    [
        ("any_audience", True),
        ("any_audience_with_a_client", True),
        ("audience_of_our_own_product", True),
        ("audience_of_this_service", False),
    ],
)
async def test_a_token_for_somebody_else_opens_the_reports(
    practice: Practice, variant: str, leaks: bool
) -> None:
    workspace = await practice.create("audience-unchecked", variant)

    assert await workspace.reads("/reports", ELSEWHERE) == (
        opened(workspace, practice.studio) if leaks else set()
    )
    assert await workspace.reads("/reports", HERE) == opened(workspace, practice.workshop)


@pytest.mark.parametrize(
    ("variant", "leaks"),
    [
        ("search_everywhere", True),
        ("search_then_filter", False),
        ("search_with_a_condition", True),
        ("search_in_the_organization", False),
    ],
)
async def test_a_search_finds_reports_of_another_organization(
    practice: Practice, variant: str, leaks: bool
) -> None:
    workspace = await practice.create("tenant-filter-forgotten", variant)

    found = await workspace.reads("/reports/search?words=canary", HERE)

    assert bool(found & opened(workspace, practice.studio)) == leaks


@pytest.mark.parametrize(("variant", "found"), [("search_then_filter", 2), ("search_in_the_organization", 3)])
async def test_a_search_that_is_filtered_afterwards_loses_reports(
    practice: Practice, variant: str, found: int
) -> None:
    workspace = await practice.create("tenant-filter-forgotten", variant)

    _status, answer = await workspace.send("/reports/search?words=canary", HERE)

    assert (len(answer["reports"]), answer["total"] == found) == (found, variant != "search_then_filter")


@pytest.mark.parametrize(
    ("variant", "allowed"),
    [
        ("admin_by_name", {HERE, THERE, SAM}),
        ("admin_of_this_organization", {HERE, SAM}),
        ("admin_or_owner_of_this_organization", {HERE, SAM, ROSA}),
        ("permission_to_export", {HERE, ROSA}),
    ],
)
async def test_the_name_of_a_role_allows_other_callers_than_the_permission(
    practice: Practice, variant: str, allowed: set[str]
) -> None:
    workspace = await practice.create("role-name-checked", variant)

    answers = {label: await workspace.send("/export", label) for label in (HERE, THERE, SAM, ROSA)}

    assert {label for label, (status, _body) in answers.items() if status == 200} == allowed


@pytest.mark.parametrize(
    ("variant", "leaks"),
    [
        ("kept_by_address", True),
        ("kept_by_address_for_a_moment", True),
        ("kept_by_person", True),
        ("kept_by_organization", False),
    ],
)
async def test_a_kept_answer_is_given_to_another_organization(
    practice: Practice, variant: str, leaks: bool
) -> None:
    workspace = await practice.create("cache-without-organization", variant)
    await workspace.send("/summary", THERE)

    foreign = await workspace.reads("/summary", HERE) & opened(workspace, practice.studio)
    _status, again = await workspace.send("/summary", HERE)

    assert bool(foreign) == leaks
    assert again["from_cache"] is True
