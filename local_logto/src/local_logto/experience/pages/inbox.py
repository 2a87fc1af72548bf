"""/messages: the emails and text messages that stayed on this server, as a mail program shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Final
from urllib.parse import urlsplit

from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.experience.pages.identifiers import shown
from local_logto.experience.pages.responses import show_notice, show_template
from local_logto.experience.state import Identifier
from local_logto.messages import KEPT_MESSAGES, Message, find_message, list_messages
from local_logto.responses import json_response
from local_logto.translation import _

blueprint = Blueprint("inbox", __name__, url_prefix="/messages")

_JSON_FIELDS: Final = ("recipient", "usage", "code", "link", "subject", "text")
# The HTML of a message runs no script, submits no form and loads nothing. Its links open in a new tab.
_HTML_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_HTML_HEAD: Final = (
    '<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light"><base target="_blank">'
    "<style>body { margin: 1rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }</style>"
)


@dataclass(frozen=True)
class ShownMessage:
    """A message as the pages show it."""

    message: Message

    @property
    def recipient(self) -> str:
        return _shown_recipient(self.message)

    @property
    def sender_name(self) -> str:
        """The sender's name, or their address if there is no name."""
        return next(filter(None, parseaddr(self.message.sender or "")), "")

    @property
    def title(self) -> str:
        """What a list shows of the message: the subject, or the text of a text message."""
        return self.message.subject or self.message.text or self.message.usage

    @property
    def sent_at(self) -> datetime:
        return datetime.fromtimestamp(self.message.created_at / 1000, UTC)

    @property
    def web_link(self) -> str | None:
        """The message's link if it leads to a web page. Links with other schemes are only text."""
        link = self.message.link or ""
        return link if urlsplit(link).scheme in ("http", "https") else None

    def contains(self, words: str) -> bool:
        """Return whether each of the words occurs in the message, regardless of case."""
        parts = (self.message.sender, self.recipient, self.message.subject, self.message.text)
        content = " ".join(filter(None, (*parts, self.message.code, self.message.link))).casefold()
        return all(word in content for word in words.casefold().split())


@blueprint.get("")
async def list_of_messages() -> Response:
    """List the messages, newest first, of one recipient or with some words.

    A client that prefers JSON gets JSON.
    """
    recipient, words = request.args.get("recipient", ""), request.args.get("q", "").strip()
    kept = [ShownMessage(message) for message in list_messages(current_store())]
    found = [one for one in kept if recipient in ("", one.message.recipient) and one.contains(words)]
    if request.accept_mimetypes.best == "application/json":
        return json_response([_as_json(one.message) for one in found])
    return await show_template(
        "messages.html",
        messages=found,
        has_some=bool(kept),
        recipients=_recipients(kept),
        chosen=recipient,
        words=words,
        kept=KEPT_MESSAGES,
    )


@blueprint.get("/<message_id>")
async def message_page(message_id: str) -> Response:
    message = find_message(current_store(), message_id)
    if message is None:
        return await _show_missing()
    response = await show_template("message.html", shown=ShownMessage(message), message=message)
    response.headers["Content-Security-Policy"] += "; frame-src 'self'"
    return response


@blueprint.get("/<message_id>/html")
async def message_html(message_id: str) -> Response:
    """Return the HTML of an email for the frame on its page, in a sandbox of its own."""
    message = find_message(current_store(), message_id)
    if message is None or message.html is None:
        return await _show_missing()
    response = Response(_HTML_HEAD + message.html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _HTML_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


async def _show_missing() -> Response:
    return await show_notice(
        _("Message not found"),
        _("Only the last %(num)s messages are stored.", num=KEPT_MESSAGES),
        links=((_("All messages"), "/messages"),),
        status=404,
    )


def _recipients(messages: Sequence[ShownMessage]) -> list[tuple[str, str]]:
    """Return every recipient as it is stored and as it is shown, in alphabetical order."""
    known = {one.message.recipient: one.recipient for one in messages}
    return sorted(known.items(), key=lambda item: item[1].casefold())


def _shown_recipient(message: Message) -> str:
    return shown(Identifier(message.kind, message.recipient))


def _as_json(message: Message) -> dict[str, object]:
    return {name: asdict(message)[name] for name in _JSON_FIELDS}
