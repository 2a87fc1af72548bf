"""Cleans what people type into fields."""

from __future__ import annotations

from typing import Any, Final

from wtforms import DateField, StringField, ValidationError
from wtforms.validators import Length, StopValidation

from saas_app.text.cleaning import clean_line, clean_text
from saas_app.text.translation import _
from saas_app.text.visible import MAX_MARKS, has_piled_marks

__all__ = ["PILED_MARKS", "DayField", "at_most", "clean_line", "clean_text"]

PILED_MARKS: Final = _("Use at most %(number)s accents or marks per letter.", number=MAX_MARKS)


class DayField(DateField):
    """An optional day, with our message for an invalid one."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Enter a date like 2026-11-21, or leave this field empty.")) from None


class _Bounded(Length):
    """Limits the characters, and the marks on a letter, which could cover the lines around it.

    A text that is too long is not examined further.
    """

    def __call__(self, form: Any, field: StringField) -> None:
        if len(field.data or "") > self.max:
            raise StopValidation(_("Use at most %(number)s characters.", number=self.max))
        if has_piled_marks(field.data or ""):
            raise ValidationError(PILED_MARKS)


def whole_number(text: str, digits: int = 9) -> int | None:
    """Return the number that a hidden field or a query holds, or None if it is none of ours."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def at_most(characters: int) -> Length:
    """Return the validators of a field's bounds, with our messages."""
    return _Bounded(max=characters)
