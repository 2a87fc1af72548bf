"""What learners type for a request to the practice service is read, or explained field by field."""

from __future__ import annotations

import pytest

from saas_app.errors import Invalid
from saas_app.lab.practice.declaration import Break
from saas_app.lab.practice.flaws import BREAKS
from saas_app.lab.practice.forms import read_request, shown_request
from saas_app.lab.practice.values import Attempt, TokenChoice

GET = {"method": "GET", "path": "/reports", "token": "workshop", "body": ""}
POST = {**GET, "method": "POST"}
LESSON = BREAKS[0]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"method", "path", "token"}),
        ({**GET, "method": "DELETE"}, {"method"}),
        ({**GET, "path": "reports"}, {"path"}),
        ({**GET, "path": "http://127.0.0.1/readyz"}, {"path"}),
        ({**GET, "path": "/" + "x" * 200}, {"path"}),
        ({**GET, "path": "/reports#1"}, {"path"}),
        ({**GET, "token": "elsewhere"}, {"token"}),
        ({**GET, "token": "rosa"}, {"token"}),
        ({**POST, "body": "[]"}, {"body"}),
        ({**POST, "body": "{"}, {"body"}),
        ({**POST, "body": '{"a": NaN}'}, {"body"}),
        ({**POST, "body": '{"a": 1e999}'}, {"body"}),
        ({**POST, "body": "[" * 2000}, {"body"}),
        ({**POST, "body": '{"a": "' + "x" * 2000 + '"}'}, {"body"}),
    ],
)
def test_an_odd_request_is_explained(fields: dict[str, str], wrong: set[str]) -> None:
    with pytest.raises(Invalid) as refusal:
        read_request(fields, LESSON)

    assert refusal.value.fields.keys() == wrong


@pytest.mark.parametrize(
    ("fields", "attempt"),
    [
        (GET, Attempt("GET", "/reports", TokenChoice.WORKSHOP)),
        ({**GET, "body": "ignored"}, Attempt("GET", "/reports", TokenChoice.WORKSHOP)),
        ({**GET, "path": " /reports?words=a b "}, Attempt("GET", "/reports?words=a b", TokenChoice.WORKSHOP)),
        (POST, Attempt("POST", "/reports", TokenChoice.WORKSHOP, {})),
        (
            {**POST, "body": '{"role": "admin"}'},
            Attempt("POST", "/reports", TokenChoice.WORKSHOP, {"role": "admin"}),
        ),
    ],
)
def test_a_request_is_read(fields: dict[str, str], attempt: Attempt) -> None:
    assert read_request(fields, LESSON) == attempt


@pytest.mark.parametrize("lesson", BREAKS, ids=lambda lesson: lesson.slug)
def test_the_request_with_which_a_lesson_begins_can_be_sent(lesson: Break) -> None:
    assert read_request(shown_request(lesson.start), lesson) == lesson.start
