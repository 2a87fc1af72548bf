"""Practice organizations: made, shown, reset, and nothing else is touched."""

from __future__ import annotations

from saas_app.lab.values import MARK
from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Role
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.integration.lab.conftest import LearnerInLab, NewLearner


async def test_setting_up_makes_an_organization_to_run_and_one_to_view(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    ground = await learner.ground()

    roles = [
        await management.find_member_roles(place.id, learner.person.id)
        for place in (ground.workshop, ground.studio)
    ]
    assert roles == [{Role.ADMIN.value}, {Role.VIEWER.value}]
    assert set(ground.players) == {"rosa", "sam", "kim"}


async def test_setting_up_twice_makes_nothing_twice(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    before = await learner.ground()

    await learner.set_up()

    after = await learner.ground()
    assert (after.workshop.id, after.studio.id) == (before.workshop.id, before.studio.id)
    assert len(await management.list_user_organizations(learner.person.id)) == 2


async def test_the_organizations_open_at_once(learner: LearnerInLab) -> None:
    ground = await learner.ground()

    page = await learner.browser.follow(f"/o/{ground.workshop.id}/projects/new")

    assert page.status_code == 200
    await learner.browser.get(f"/o/{ground.studio.id}/projects/new", 403)


async def test_reset_deletes_organizations_and_accounts_at_logto(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    ground = await learner.ground()

    await learner.browser.post("/lab/reset")

    assert await management.find_organization(ground.workshop.id) is None
    assert await management.find_organization(ground.studio.id) is None
    assert [await management.find_user(player.user_id) for player in ground.players.values()] == [None] * 3
    assert (await learner.progress()).ground is None


async def test_after_a_reset_the_lab_can_be_set_up_again(learner: LearnerInLab) -> None:
    before = await learner.ground()
    await learner.browser.post("/lab/reset")

    await learner.set_up()

    assert (await learner.ground()).workshop.id != before.workshop.id


async def test_reset_leaves_the_learners_other_organizations(
    new_learner: NewLearner, make: Factory, management: ManagementClient
) -> None:
    learner = await new_learner(is_set_up=False)
    acme = await make.organization("Acme", admin=learner.person)
    await learner.set_up()

    await learner.browser.post("/lab/reset")

    left = await management.list_user_organizations(learner.person.id)
    assert [one.organization_id for one in left] == [acme]


async def test_organizations_of_the_lab_are_marked_at_logto(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    found = await management.get_organization((await learner.ground()).workshop.id)

    assert found.custom_data[MARK]["learner"] == learner.person.id


async def test_role_play_members_have_an_email_address_because_sign_up_may_require_one(
    learner: LearnerInLab, management: ManagementClient
) -> None:
    for player in (await learner.ground()).players.values():
        assert (await management.get_user(player.user_id)).email == f"{player.username}@role-play.example"


async def test_without_the_setting_there_is_no_lab(
    open_app: OpenApp, make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.person("Lena"), at=await open_app(lab=False))

    await browser.get("/lab", 404)
    await browser.post("/lab/ground", expect=404)
    assert 'href="/lab"' not in await browser.text("/o")


async def test_lists_and_the_switcher_show_practice_organizations_apart(
    new_learner: NewLearner, make: Factory
) -> None:
    learner = await new_learner(is_set_up=False)
    await make.organization("Zebra", admin=learner.person)
    await learner.set_up()

    for path in ("/o", "/o/switch"):
        page = await learner.browser.text(path)
        assert page.index("Zebra") < page.index("Practice, in the lab") < page.index("Lab: ")
