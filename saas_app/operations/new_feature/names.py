"""The names of a feature, derived from the one that its author chose. Pure."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Final

from saas_app.errors import ConfigurationError
from saas_app.text.translation import _

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST: Final = 24  # more would not fit on the lines of the skeleton


@dataclass(frozen=True, slots=True)
class FeatureNames:
    """A feature's name in plural and singular, such as ``sales_reports`` and ``sales_report``."""

    many: str
    one: str

    def as_words(self) -> dict[str, str]:
        """Return the values for the placeholders of the skeleton."""
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
    """Return the checked names. If ``one``, the singular, is None, it is derived from the plural.

    Raises :class:`ConfigurationError` for a name that cannot be used.
    """
    single = one or _singular(many)
    for name in (many, single):
        if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > _LONGEST:
            raise ConfigurationError(
                _(
                    "'%(name)s' is not a name for a feature. Use a plural noun of at most %(longest)s "
                    "lower-case letters, digits and underscores, such as 'reports' or 'sales_reports'.",
                    name=name,
                    longest=_LONGEST,
                )
            )
    if single == many:
        raise ConfigurationError(_("The singular of '%(many)s' is not clear. Name it with --one.", many=many))
    return FeatureNames(many, single)


def _singular(many: str) -> str:
    if many.endswith("ies"):
        return f"{many.removesuffix('ies')}y"
    if many.endswith("ss"):
        return many
    return many.removesuffix("s")
