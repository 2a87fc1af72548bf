"""The names of a feature, from the one that its author chose. Pure."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Final

from saas_app.errors import ConfigurationError

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST: Final = 24  # the lines of the skeleton have room for no more


@dataclass(frozen=True, slots=True)
class FeatureNames:
    """A feature's name and the name of one of its things: ``sales_reports`` and ``sales_report``."""

    many: str
    one: str

    def as_words(self) -> dict[str, str]:
        """Return the words of the skeleton, by placeholder."""
        many, one = self.many.replace("_", " "), self.one.replace("_", " ")
        return {
            "many": self.many,
            "one": self.one,
            "MANY": self.many.upper(),
            "ONE": self.one.upper(),
            "One": one.title().replace(" ", ""),
            "slug": self.many.replace("_", "-"),
            "slug_one": self.one.replace("_", "-"),
            "many_words": many,
            "one_words": one,
            "Many_words": many.capitalize(),
            "One_words": one.capitalize(),
        }


def feature_names(many: str, one: str | None) -> FeatureNames:
    """Check the chosen names. ``one`` is the singular; without it, the plural must show what it is.

    Raises :class:`ConfigurationError`.
    """
    single = one or _singular(many)
    for name in (many, single):
        if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > _LONGEST:
            raise ConfigurationError(
                f"'{name}' is not a name for a feature. Use a plural noun of at most {_LONGEST} lower-case "
                "letters, digits and underscores, such as 'reports' or 'sales_reports'."
            )
    if single == many:
        raise ConfigurationError(f"What is one of the {many} called? Say it with --one.")
    return FeatureNames(many, single)


def _singular(many: str) -> str:
    if many.endswith("ies"):
        return f"{many.removesuffix('ies')}y"
    if many.endswith("ss"):
        return many
    return many.removesuffix("s")
