"""What a flaw consists of."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from saas_app.lab.broken.calls import Call, Row

Variant = Callable[[Call], Awaitable[Row]]


@dataclass(frozen=True, slots=True)
class Flaw:
    """One route with variants of its code: first the flawed one, then the fixes to choose from.

    ``path`` may end in ``/{id}``. With ``confidential``, some rows are meant for callers with
    ``projects:export`` only.
    """

    slug: str
    method: str
    path: str
    variants: tuple[Variant, ...]
    confidential: bool = False

    def find_variant(self, name: str) -> Variant | None:
        """Return the variant with this name, or None."""
        return next((variant for variant in self.variants if variant.__name__ == name), None)

    def match(self, method: str, path: str) -> str | None:
        """Return the id in a path of this route, "" if the route has none, or None for other routes."""
        pattern = re.escape(self.path).replace(r"/\{id\}", r"/([\w-]{1,64})")
        found = re.fullmatch(pattern, path, re.ASCII) if method == self.method else None
        return None if found is None else "".join(found.groups())

    def describe(self) -> Row:
        """Return the route and the source of every variant: the code that is shown is the code that runs."""
        return {
            "slug": self.slug,
            "method": self.method,
            "path": self.path,
            "variants": [
                {
                    "name": variant.__name__,
                    "source": inspect.getsource(variant),
                    "module": variant.__module__,
                    "line": inspect.getsourcelines(variant)[1],
                }
                for variant in self.variants
            ],
        }
