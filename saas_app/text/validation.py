"""Texts for what pydantic finds wrong with a value. Pure: it reads the errors, and not the library.

Our own validators raise :class:`ValueError` with a sentence. pydantic's messages have templates of the same
words, so that English readers get what they would get from pydantic. Types that our models cannot cause are
left out, and stay English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from saas_app.text.translation import Sentence, _, ngettext

_TEMPLATES: Final = {
    "missing": _("Field required"),
    "extra_forbidden": _("Extra inputs are not permitted"),
    "string_type": _("Input should be a valid string"),
    "string_pattern_mismatch": _("String should match pattern '%(pattern)s'"),
    "int_type": _("Input should be a valid integer"),
    "int_parsing": _("Input should be a valid integer, unable to parse string as an integer"),
    "int_from_float": _("Input should be a valid integer, got a number with a fractional part"),
    "int_parsing_size": _("Unable to parse input string as an integer, exceeded maximum size"),
    "float_type": _("Input should be a valid number"),
    "float_parsing": _("Input should be a valid number, unable to parse string as a number"),
    "bool_type": _("Input should be a valid boolean"),
    "bool_parsing": _("Input should be a valid boolean, unable to interpret input"),
    "list_type": _("Input should be a valid list"),
    "tuple_type": _("Input should be a valid tuple"),
    "dict_type": _("Input should be a valid dictionary"),
    "model_type": _("Input should be a valid dictionary or instance of %(class_name)s"),
    "model_attributes_type": _("Input should be a valid dictionary or object to extract fields from"),
    "greater_than": _("Input should be greater than %(gt)s"),
    "greater_than_equal": _("Input should be greater than or equal to %(ge)s"),
    "less_than": _("Input should be less than %(lt)s"),
    "less_than_equal": _("Input should be less than or equal to %(le)s"),
    "finite_number": _("Input should be a finite number"),
    "enum": _("Input should be %(expected)s"),
    "literal_error": _("Input should be %(expected)s"),
    "uuid_type": _("UUID input should be a string, bytes or UUID object"),
    "uuid_parsing": _("Input should be a valid UUID, %(error)s"),
    "date_type": _("Input should be a valid date"),
    "date_parsing": _("Input should be a valid date in the format YYYY-MM-DD, %(error)s"),
    "date_from_datetime_parsing": _("Input should be a valid date or datetime, %(error)s"),
    "date_from_datetime_inexact": _(
        "Datetimes provided to dates should have zero time - e.g. be exact dates"
    ),
    "datetime_type": _("Input should be a valid datetime"),
    "datetime_parsing": _("Input should be a valid datetime, %(error)s"),
    "datetime_from_date_parsing": _("Input should be a valid datetime or date, %(error)s"),
    "timezone_aware": _("Input should have timezone info"),
}
_OF_LENGTH: Final[dict[str, tuple[str, Callable[[int], Sentence]]]] = {
    "string_too_long": (
        "max_length",
        lambda num: ngettext(
            "String should have at most %(num)s character",
            "String should have at most %(num)s characters",
            num,
        ),
    ),
    "string_too_short": (
        "min_length",
        lambda num: ngettext(
            "String should have at least %(num)s character",
            "String should have at least %(num)s characters",
            num,
        ),
    ),
    "too_long": (
        "max_length",
        lambda num: ngettext(
            "List should have at most %(num)s item after validation",
            "List should have at most %(num)s items after validation",
            num,
        ),
    ),
    "too_short": (
        "min_length",
        lambda num: ngettext(
            "List should have at least %(num)s item after validation",
            "List should have at least %(num)s items after validation",
            num,
        ),
    ),
}


def describe(problem: Mapping[str, Any]) -> Sentence:
    """Return what is wrong, from an entry of ``ValidationError.errors()`` with its context."""
    kind, context = problem["type"], problem.get("ctx", {})
    raised = context.get("error")
    if isinstance(raised, Exception):
        return Sentence(raised.args[0])
    if kind in _OF_LENGTH:
        limit, text = _OF_LENGTH[kind]
        return text(context[limit])
    if kind in _TEMPLATES:
        return _filled(_TEMPLATES[kind], context)
    return Sentence(problem["msg"])


def _filled(template: str, context: Mapping[str, Any]) -> Sentence:
    values = {name: _plain(value) for name, value in context.items()}
    if "expected" in values:
        values["expected"] = _alternatives(values["expected"])
    return Sentence(str(template), values)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _alternatives(expected: str) -> str:
    """Return a list such as ``'a', 'b' or 'c'`` in the reader's language."""
    others, has_others, last = expected.rpartition(" or ")
    return _("%(others)s or %(last)s", others=others, last=last) if has_others else expected
