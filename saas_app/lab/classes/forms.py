"""Forms for a new class, and for joining one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from wtforms import Form, StringField
from wtforms.validators import DataRequired

from saas_app.errors import BadRequest
from saas_app.lab.classes.values import LessonInfo
from saas_app.text.translation import _
from saas_app.web.typed_text import at_most, clean_line

TITLE_LENGTH: Final = 128
CODE_LENGTH: Final = 32
"""Characters that somebody may type for a code, with gaps."""


class ClassForm(Form):
    """A new class."""

    title = StringField(
        _("Title"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter a title for the class.")), at_most(TITLE_LENGTH)],
    )


class JoinForm(Form):
    """The code of the class to join."""

    code = StringField(
        _("Join code"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter the code that your teacher shows.")), at_most(CODE_LENGTH)],
    )


def read_lesson(fields: Mapping[str, str], lessons: Sequence[LessonInfo]) -> str:
    """Return the slug of the lesson to reveal. Raises :class:`BadRequest`."""
    slug = fields.get("lesson", "")
    if slug not in {lesson.slug for lesson in lessons}:
        raise BadRequest(_("The form does not say which lesson to reveal. Reload the page and try again."))
    return slug


def read_shows_name(fields: Mapping[str, str]) -> bool:
    """Return whether the learner shows the teacher their name. Raises :class:`BadRequest`."""
    chosen = fields.get("show", "")
    if chosen not in ("yes", "no"):
        raise BadRequest(_("The form does not say whether to show your name. Reload the page and try again."))
    return chosen == "yes"
