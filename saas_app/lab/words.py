"""The words that a learner needs before the first lesson, each in a sentence."""

from __future__ import annotations

from typing import Final

from saas_app.text.translation import Sentence, _

WORDS: Final[tuple[tuple[Sentence, Sentence], ...]] = (
    (
        _("Logto"),
        _("The service where people sign in. It knows their accounts and roles, and makes their tokens."),
    ),
    (
        _("token"),
        _("A short note about one person or program. Logto signs it, so nobody can change it unnoticed."),
    ),
    (_("claim"), _("One line of a token. The claim sub says whom it is about, exp until when it is valid.")),
    (_("scope"), _("A permission in a token, such as projects:write.")),
    (
        _("role"),
        _("A name for a set of permissions, such as viewer. A person has roles in an organization."),
    ),
)
"""Each word with what it means, in the order in which they are read."""
