"""The order in which answers are offered gives nothing away."""

from __future__ import annotations

from saas_app.lab.lessons import LESSONS


def test_the_first_answer_of_the_declaration_is_not_always_offered_first() -> None:
    places = {lesson.offered.index(lesson.answers[0]) for lesson in LESSONS}

    assert len(places) > 1


def test_every_answer_is_offered_once() -> None:
    for lesson in LESSONS:
        assert sorted(answer.key for answer in lesson.offered) == sorted(
            answer.key for answer in lesson.answers
        )
