"""The length of a typed text is checked before any other rule."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form, StringField

from saas_app.web.typed_text import PILED_MARKS, at_most

PILE = "a" + "\u0301\u0302\u0303" * 5


class Tracing:
    """A rule that runs after the check of the length, and records the texts that it checks."""

    def __init__(self) -> None:
        self.checked: list[str] = []

    def __call__(self, form: Any, field: StringField) -> None:
        self.checked.append(field.data or "")


@pytest.fixture
def tracing() -> Tracing:
    return Tracing()


def _errors(tracing: Tracing, typed: str) -> list[str]:
    class Naming(Form):
        name = StringField(validators=[at_most(20), tracing])

    form = Naming(MultiDict({"name": typed}))
    form.validate()
    return list(map(str, form.name.errors))


def test_a_text_that_is_too_long_is_not_checked_further(tracing: Tracing) -> None:
    assert _errors(tracing, PILE + "a" * 20) == ["Use at most 20 characters."]
    assert tracing.checked == []


def test_a_text_that_fits_is_checked_by_every_rule(tracing: Tracing) -> None:
    assert _errors(tracing, "a" * 20) == []
    assert tracing.checked == ["a" * 20]


def test_marks_piled_on_a_letter_are_rejected(tracing: Tracing) -> None:
    assert _errors(tracing, PILE) == [PILED_MARKS]
