"""An attack on the promise of the lab: nothing that it does touches another organization or account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from saas_app.lab.lessons import LESSONS
from saas_app.logto.responses import Answer
from saas_app.logto.transport import ManagementTransport
from tests.factories import Factory
from tests.integration.lab.conftest import LearnerInLab, NewLearner
from tests.integration.lab.tasks import ANSWERS, play

ASKS_LOGTO = [lesson for lesson in LESSONS if lesson.slug in ANSWERS]
NAMED = re.compile(r"/(organizations|users|applications)/([^/?]+)")
LISTED = {"userIds": "users", "applicationIds": "applications"}


@dataclass
class Calls:
    """The calls of the Management API, as (method, path), and what each names: (kind, id)."""

    made: list[tuple[str, str]] = field(default_factory=list)
    named: set[tuple[str, str]] = field(default_factory=set)
    robots: set[str] = field(default_factory=set)

    def add(self, method: str, path: str, body: Any) -> None:
        self.made.append((method, path))
        self.named |= set(NAMED.findall(path))
        for name, kind in LISTED.items():
            self.named |= {(kind, found) for found in (body or {}).get(name, ())}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """Every call of the Management API in this process."""
    found, call = Calls(), ManagementTransport.call

    async def recording(self: ManagementTransport, method: str, path: str, **options: Any) -> Answer:
        found.add(method, path, options.get("body"))  # also if Logto refuses the call
        answer = await call(self, method, path, **options)
        if (method, path) == ("POST", "/applications"):
            found.robots.add(answer.body["id"])
        return answer

    monkeypatch.setattr(ManagementTransport, "call", recording)
    return found


@pytest.fixture
async def learner(new_learner: NewLearner, make: Factory) -> LearnerInLab:
    """A learner who is an admin of a real organization as well, beside another learner's ground."""
    await new_learner("Nele")
    found = await new_learner(is_set_up=False)
    await make.organization("Acme", admin=found.person)
    await found.set_up()
    return found


async def test_no_call_of_any_lesson_names_another_organization_account_or_application(
    learner: LearnerInLab, calls: Calls
) -> None:
    ground = await learner.ground()
    places = {ground.workshop.id, ground.studio.id}
    accounts = {learner.person.id, *(player.user_id for player in ground.players.values())}

    for lesson in ASKS_LOGTO:
        await play(learner, lesson, ANSWERS[lesson.slug])
    await learner.browser.post("/lab/reset")

    allowed = {("organizations", one) for one in places} | {("users", one) for one in accounts}
    assert calls.robots
    assert calls.named <= allowed | {("applications", one) for one in calls.robots}
    assert {kind for kind, _named in calls.named} == {"organizations", "users", "applications"}


async def test_no_request_for_a_token_names_another_organization(learner: LearnerInLab) -> None:
    ground = await learner.ground()
    for lesson in ASKS_LOGTO:
        await play(learner, lesson, ANSWERS[lesson.slug])

    named = set()
    for lesson in ASKS_LOGTO:
        evidence = (await learner.run_of(lesson)).evidence
        assert evidence
        for exchange in evidence["exchanges"]:
            named |= {value for name, value in exchange["form"] if name == "organization_id"}
    assert named == {ground.workshop.id, ground.studio.id, "nowhere00000"}


async def test_changes_at_logto_go_only_to_what_the_ground_consists_of(
    learner: LearnerInLab, calls: Calls
) -> None:
    for lesson in ASKS_LOGTO:
        await play(learner, lesson, ANSWERS[lesson.slug])

    shared = {path for method, path in calls.made if method != "GET" and not NAMED.search(path)}
    assert shared == {"/applications"}  # the robot, which is the learner's own
