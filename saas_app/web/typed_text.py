"""What people type into fields, made fit to be stored and shown."""

from __future__ import annotations

from wtforms.validators import Length

from saas_app.text.cleaning import clean_line, clean_text

__all__ = ["at_most", "clean_line", "clean_text"]


def at_most(characters: int) -> Length:
    """The bound of a field, in our words."""
    return Length(max=characters, message=f"Use at most {characters} characters.")
