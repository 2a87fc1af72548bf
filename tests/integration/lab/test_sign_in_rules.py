"""Lessons also work where Logto asks more of people: an email address at sign-up, second factors."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from saas_app.lab.lesson import Lesson
from saas_app.lab.lessons import LESSONS
from saas_app.logto import ManagementClient
from tests.integration.lab.conftest import LearnerInLab
from tests.integration.lab.tasks import ANSWERS, play


@pytest.fixture
async def rules_of_the_demo(learner: LearnerInLab, management: ManagementClient) -> AsyncIterator[None]:
    """The sign-in experience with the rules of the demo, once the learner is signed in."""
    transport = management._transport
    before = (await transport.call("GET", "/sign-in-exp")).body
    rules = {
        "signUp": {"identifiers": ["email"], "password": True, "verify": True},
        "mfa": {
            "factors": ["Totp", "BackupCode"],
            "policy": "NoPrompt",
            "organizationRequiredMfaPolicy": "Mandatory",
        },
    }
    await transport.call("PATCH", "/sign-in-exp", body=rules)
    yield
    await transport.call("PATCH", "/sign-in-exp", body={name: before[name] for name in rules})


@pytest.mark.usefixtures("rules_of_the_demo")
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
async def test_a_lesson_works_where_sign_up_needs_an_email_and_organizations_may_need_a_second_factor(
    learner: LearnerInLab, lesson: Lesson
) -> None:
    await play(learner, lesson, ANSWERS[lesson.slug])

    assert (await learner.run_of(lesson)).was_right
