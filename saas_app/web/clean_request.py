"""Cleans the query and the form of each request, and rejects unclean paths.

Queries and forms lose the characters that nobody types (:mod:`saas_app.text.cleaning`). The response is 404
if a path contains such a character, or a text that cannot be an id where an id belongs. JSON bodies are
cleaned by the types of their fields (``web/json_api/models.py``).
"""

from __future__ import annotations

from typing import Final

from quart import Request, current_app
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.utils import cached_property

from saas_app.errors import NotFound
from saas_app.text.cleaning import clean, is_clean
from saas_app.text.ids import is_id

_ANY_TEXT: Final = frozenset({"static_files", "acceptance"})
"""Blueprints whose paths may hold any text: files, and invitations, whose errors all look the same."""


class CleanRequest(Request):
    """A request whose query and form contain only clean text."""

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The cleaned query."""
        return _cleaned(super().args)

    async def _load_form_data(self) -> None:
        is_new = self._form is None
        if is_new and self.mimetype == "application/x-www-form-urlencoded":
            await self._bound_fields()
        await super()._load_form_data()
        if is_new and self._form is not None:
            self._form = _cleaned(self._form)

    async def _bound_fields(self) -> None:
        """Limit the number of fields before parsing. Werkzeug does this for multipart forms only."""
        body = await self.get_data(cache=True, as_text=False, parse_form_data=False)
        if body.count(b"&") >= current_app.config["MAX_FORM_PARTS"]:
            raise RequestEntityTooLarge


def refuse_unclean_path(request: Request) -> None:
    """Reject a path with an unclean text, or with one that cannot be the id that belongs there."""
    if not is_clean(request.path) or not _can_be_ids(request):
        raise NotFound


def _can_be_ids(request: Request) -> bool:
    """Return whether the arguments of a path have the form of ids. If not, no lookup is needed."""
    arguments = [value for value in (request.view_args or {}).values() if isinstance(value, str)]
    return all(map(is_id, arguments)) or request.blueprint in _ANY_TEXT


def _cleaned(fields: MultiDict[str, str]) -> MultiDict[str, str]:
    return MultiDict([(clean(name), clean(value)) for name, value in fields.items(multi=True)])
