"""Rejects a query parameter that comes twice, because two readers could interpret it differently.

OAuth requires this for ``code`` and ``state`` (RFC 6749 §3.1). None of our URLs repeats a parameter, so the
rule applies to all. Forms are not checked, because checkboxes share a name.
"""

from __future__ import annotations

from quart import Request

from saas_app.errors import BadRequest
from saas_app.text.translation import _


def refuse_repeated(request: Request) -> None:
    """Reject a query with a parameter that comes twice."""
    if not request.query_string:
        return
    names = [name for name, _value in request.args.items(multi=True)]
    if len(names) != len(set(names)):
        raise BadRequest(_("A query parameter is given more than once. Give each parameter only once."))
