"""Texts about invalid values: pydantic's own words in English, and every one of them in other languages."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_core import PydanticKnownError

from saas_app.text.languages import speaking
from saas_app.text.translation import _
from saas_app.text.validation import _OF_LENGTH, _TEMPLATES, describe

CONTEXTS: dict[str, dict[str, Any]] = {
    "string_too_long": {"max_length": 1},
    "string_too_short": {"min_length": 2000},
    "string_pattern_mismatch": {"pattern": "^a$"},
    "model_type": {"class_name": "Project"},
    "greater_than": {"gt": 0.0},
    "greater_than_equal": {"ge": 1},
    "less_than": {"lt": 2.5},
    "less_than_equal": {"le": 65535},
    "enum": {"expected": "'a'"},
    "literal_error": {"expected": "'a', 'b' or 'c'"},
}


class Model(BaseModel):
    name: str = Field("", max_length=3)
    kind: Literal["a", "b"] = "a"

    @field_validator("name")
    @classmethod
    def _checked(cls, value: str) -> str:
        if value == "no":
            raise ValueError(_("Not found"))
        return value


def problem_of(**values: Any) -> Any:
    with pytest.raises(ValidationError) as caught:
        Model(**values)
    (problem,) = caught.value.errors()
    return problem


@pytest.mark.parametrize("kind", [*_TEMPLATES, "string_too_long"])
def test_english_readers_get_the_words_of_pydantic(kind: str) -> None:
    context = CONTEXTS.get(kind, {"error": "it is too short"} if kind.endswith("_parsing") else None)
    message = PydanticKnownError(kind, context).message()  # type: ignore[arg-type]

    assert describe({"type": kind, "msg": message, "ctx": context or {}}) == message


@pytest.mark.parametrize("kind", _OF_LENGTH)
def test_a_limit_is_a_number_in_its_sentence(kind: str) -> None:
    text = describe({"type": kind, "msg": "", "ctx": {"max_length": 1, "min_length": 1}})

    assert "1 character" in text or "1 item" in text


def test_our_own_validators_are_quoted_without_a_prefix() -> None:
    assert describe(problem_of(name="no")) == "Not found"


def test_a_problem_is_told_in_the_reader_s_language() -> None:
    problem = describe(problem_of(kind="x"))

    with speaking("es"):
        assert problem.said == "El valor debe ser 'a' o 'b'"


def test_an_unknown_kind_of_problem_keeps_the_words_of_pydantic() -> None:
    assert describe({"type": "new_kind", "msg": "Input is odd"}) == "Input is odd"
