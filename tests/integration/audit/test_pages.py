"""The audit page and its export: paging, filters, escaping, and the boundary of the organization."""

from __future__ import annotations

import re

import pytest

from saas_app.audit.recorder import Action, Actor, Target
from saas_app.db.base import new_uuid
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import ActorType, Outcome
from tests.integration.audit.conftest import AuditedOffice, OpenAudited, add_events


@pytest.fixture
async def office(open_audited: OpenAudited) -> AuditedOffice:
    return await open_audited(admin="Ada")


def ids_on(page: str) -> list[str]:
    return re.findall(r'/audit/([0-9a-f-]{36})[?"]', page)


def next_page(page: str) -> str | None:
    found = re.search(r'rel="next" href="(\?[^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else None


async def every_id(office: AuditedOffice, query: str = "") -> list[str]:
    """Return the ids on all pages, in order."""
    page = await office.page(query)
    ids = ids_on(page)
    while (further := next_page(page)) is not None:
        page = await office.page(further)
        ids += ids_on(page)
    return ids


async def test_paging_shows_every_event_once_while_others_are_added(
    office: AuditedOffice, work: UnitOfWork
) -> None:
    await add_events(work, office.id, 130)
    first = await office.page()
    expected = [line["Event id"] for line in await office.entries()]
    assert len(expected) == 130
    await add_events(work, office.id, 7)
    ids, page = ids_on(first), first
    assert len(ids) == 50
    while (further := next_page(page)) is not None:
        page = await office.page(further)
        ids += ids_on(page)
    assert ids == expected


async def test_the_export_contains_what_the_list_shows(office: AuditedOffice, work: UnitOfWork) -> None:
    await add_events(work, office.id, 60)
    await add_events(work, office.id, 55, actor=Actor("eve", "Eve"), action=Action.TASK_CREATE)
    for query in ("", "?actor=eve", "?action=project.create", "?actor_id=sam&target=7"):
        exported = [line["Event id"] for line in await office.lines(query)]
        assert exported == await every_id(office, query), query


async def test_an_empty_audit_log_says_what_will_appear(office: AuditedOffice) -> None:
    assert "No entries yet" in await office.page()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("actor=EVE", {"Eve"}),
        ("actor=100%25", {"100% Bob"}),
        ("actor_id=eve", {"Eve"}),
        ("action=member.remove", {"Eve"}),
        ("outcome=denied", {"Mallory"}),
        ("outcome=allowed", {"Sam", "Eve", "100% Bob"}),
        ("target=carol", {"Eve"}),
        ("target_id=project-0", {"Sam", "Mallory", "100% Bob"}),
        ("actor=e&outcome=allowed&action=member.remove", {"Eve"}),
        ("since=2020-01-01&until=2999-12-31", {"Sam", "Eve", "Mallory", "100% Bob"}),
        ("until=2020-01-01", set()),
        ("since=2999-12-31", set()),
        ("actor=nobody", set()),
    ],
)
async def test_filters_narrow_the_list(
    office: AuditedOffice, work: UnitOfWork, query: str, found: set[str]
) -> None:
    here = office.id
    await add_events(work, here, 1)
    await add_events(work, here, 1, actor=Actor("bob", "100% Bob", ActorType.MACHINE))
    await add_events(work, here, 1, actor=Actor("mallory", "Mallory"), outcome=Outcome.DENIED)
    carol = Target("member", "carol", "Carol")
    await add_events(work, here, 1, actor=Actor("eve", "Eve"), action=Action.MEMBER_REMOVE, target=carol)
    page = await office.page(f"?{query}")
    shown = re.findall(r"<b>([^<]+?)(?: <span|</b>)", page)
    assert set(shown) == found
    assert ("No matching entries" in page) is (not found)


async def test_a_filter_by_day_includes_the_whole_day(office: AuditedOffice, work: UnitOfWork) -> None:
    await add_events(work, office.id, 1)
    today = (await office.entries())[0]["Time (UTC)"][:10]
    assert "Project 0" in await office.page(f"?since={today}&until={today}")


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("since=yesterday", "Enter a date like 2026-11-21"),
        ("since=0001-01-01", "Enter a year from 2000 to 2999."),
        ("until=9999-12-31", "Enter a year from 2000 to 2999."),
        ("since=2026-11-21&until=2026-11-20", "The end date is before the start date."),
        ("action=project.explode", "Not a valid choice"),
        (f"actor={'x' * 321}", "Use at most 320 characters."),
    ],
)
async def test_an_invalid_filter_is_explained_at_the_field(
    office: AuditedOffice, query: str, complaint: str
) -> None:
    page = await office.page(f"?{query}", 422)
    assert complaint in page
    assert "Export CSV" not in page
    await office.get("admin", f"/audit/export.csv?{query}", 422)
    assert len(await office.lines()) == 1, "the refused export left no event, only this one"


@pytest.mark.parametrize("cursor", ["x", "e30", "WyJub3QgYW4gaWQiXQ"])
async def test_a_made_up_cursor_is_a_bad_request(office: AuditedOffice, cursor: str) -> None:
    await office.page(f"?after={cursor}", 400)


async def test_events_of_another_organization_are_never_shown(
    open_audited: OpenAudited, work: UnitOfWork
) -> None:
    acme = await open_audited("Acme", admin="Ada")
    globex = await open_audited("Globex", admin="Ada")
    await add_events(work, acme.id, 3, actor=Actor("sam", "Sam of Acme"))
    await add_events(work, globex.id, 3, actor=Actor("sam", "Sam of Globex"))
    for query in ("", "?actor_id=sam", "?actor=sam", "?target_id=project-1", "?action=project.create"):
        page = await acme.page(query)
        assert "Sam of Acme" in page
        assert "Globex" not in page
        assert {line["Actor"] for line in await acme.entries(query)} == {"Sam of Acme"}


async def test_what_people_typed_is_escaped_on_the_page_and_in_the_export(
    office: AuditedOffice, work: UnitOfWork
) -> None:
    await add_events(
        work,
        office.id,
        1,
        actor=Actor("eve", "=Eve<script>"),
        before={"name": "<b>old</b>", "role_names": ["viewer", "editor"], "mfa": True},
        after={"name": "", "role_names": [], "mfa": False},
    )
    page = await office.details()
    for shown in (page, await office.page()):
        assert "<script>" not in shown.partition("<main")[2]
        assert "=Eve&lt;script&gt;" in shown
    assert "<del>&lt;b&gt;old&lt;/b&gt;</del>" in page
    assert "<ins>empty</ins>" in page
    assert "<del>viewer, editor</del>" in page
    assert "<ins>none</ins>" in page
    assert "<del>yes</del>" in page
    (line,) = await office.entries()
    assert line["Actor"] == "'=Eve<script>"


async def test_an_entry_has_a_page_with_its_details(office: AuditedOffice, work: UnitOfWork) -> None:
    await add_events(work, office.id, 1, before={"due_on": None}, after={"due_on": "2026-11-21"})
    page = await office.details()
    assert '<th scope="row">Due on</th><td><del>empty</del></td><td><ins>2026-11-21</ins></td>' in page
    assert "<code>project.create</code>" in page
    assert "None (recorded by Workroom itself)" in page


async def test_entries_are_sentences_in_the_language_of_the_reader(
    office: AuditedOffice, work: UnitOfWork
) -> None:
    changed = {"before": {"roles": ["viewer"]}, "after": {"roles": ["editor"]}}
    carol = Target("member", "carol", "Carol")
    await add_events(work, office.id, 1, action=Action.MEMBER_CHANGE_ROLES, target=carol, **changed)

    english, details = await office.page(), await office.details()
    office.browsers["admin"].app.set_cookie("localhost", "workroom_language", "es")
    spanish = await office.page()

    assert "<b>Sam</b> promoted <em>Carol</em> from viewer to editor" in english
    assert "<h1>Sam promoted Carol from viewer to editor</h1>" in details
    assert "<b>Sam</b> ascendió a <em>Carol</em> de viewer a editor" in spanish
    (line,) = await office.entries()
    assert line["Action"] == "member.change-roles"


async def test_the_reason_of_a_denial_is_visible_without_opening_its_entry(open_audited: OpenAudited) -> None:
    office = await open_audited(admin="Ada", viewer="Vera")
    await office.get("viewer", "/audit", 403)

    page = await office.page()

    assert "was denied: <code>audit:read</code>" in page
    assert "<small>The organization token does not include audit:read. <code>GET /o/" in page


async def test_the_button_of_the_folded_filters_says_how_many_are_set(office: AuditedOffice) -> None:
    assert "Filters (2)</summary>" in await office.page("?actor=sam&outcome=denied")
    assert '<details class="filter-fold"><summary class="btn btn-secondary">' in await office.page()
    assert '<details class="filter-fold" open>' in await office.page("?since=yesterday", 422)


async def test_the_details_of_a_denial_show_how_it_was_decided(open_audited: OpenAudited) -> None:
    office = await open_audited(admin="Ada", viewer="Vera")
    await office.get("viewer", "/audit", 403)
    page = await office.details()
    assert "How this was decided" in page
    assert "Permission in the token?" in page


async def test_the_page_of_an_entry_keeps_the_filter_of_the_list(
    office: AuditedOffice, work: UnitOfWork
) -> None:
    await add_events(work, office.id, 1)
    kept = "action=project.create&amp;outcome=allowed"
    page = await office.details("?action=project.create&outcome=allowed")
    assert f'<a href="{office.root}/audit?{kept}">Audit log</a>' in page
    assert f'<a href="{office.root}/audit?{kept}&amp;actor_id=sam">Only actions by Sam</a>' in page
    assert f'<a href="{office.root}/audit?{kept}&amp;target_id=project-0">' in page


async def test_an_entry_of_another_organization_looks_like_one_that_does_not_exist(
    open_audited: OpenAudited, work: UnitOfWork
) -> None:
    acme, globex = await open_audited("Acme", admin="Ada"), await open_audited("Globex", admin="Ada")
    await add_events(work, globex.id, 1)
    (theirs,) = ids_on(await globex.page())
    for unknown in (theirs, str(new_uuid())):
        page = await (await acme.get("admin", f"/audit/{unknown}", 404)).get_data(as_text=True)
        assert "This entry does not exist" in page
        assert "Project 0" not in page


async def test_fifty_entries_make_a_small_page(office: AuditedOffice, work: UnitOfWork) -> None:
    await add_events(work, office.id, 50, before={"name": "Old"}, after={"name": "New"})
    assert len(await office.page()) < 40_000


async def test_the_menu_offers_the_audit_log_to_members_with_the_permission(
    open_audited: OpenAudited,
) -> None:
    office = await open_audited(admin="Ada", viewer="Vera")
    link = f'href="{office.root}/audit"'
    assert link in await (await office.get("admin", "/")).get_data(as_text=True)
    assert link not in await (await office.get("viewer", "/")).get_data(as_text=True)
