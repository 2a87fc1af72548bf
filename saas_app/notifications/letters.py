"""Writes the emails about memberships, in the language of their reader."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from urllib.parse import urlsplit

from saas_app.db.base import utc_now
from saas_app.notifications.links import EmailLinks
from saas_app.notifications.values import DueEmail, NotificationRow
from saas_app.text.cleaning import clean_line
from saas_app.text.languages import SOURCE, languages, speaking
from saas_app.text.translation import Sentence, _, ngettext
from saas_app.web.templating import environment_of
from saas_app.web.times import exact_utc

_WHY: Final = _(
    "You receive this email because you chose emails about changes to your memberships in Workroom."
)
_LIST: Final = _("View notifications")
_SETTINGS: Final = _("Change your settings")
_STOP: Final = _("Stop these emails")


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes emails. ``sender`` is the address of ``MAIL_FROM``."""

    sender: str
    links: EmailLinks

    def write(self, email: DueEmail, address: Address) -> EmailMessage:
        """Return the email to an address.

        A second attempt has the same ``Message-ID``, by which receivers can recognize a repetition.
        """
        language = email.language if email.language in languages() else SOURCE
        stop = self.links.unsubscribe(email.user_id)
        message = EmailMessage(SMTP)
        message["Message-ID"] = f"<notification.{email.row.id}@{urlsplit(self.links.app_url).hostname}>"
        message["Date"] = utc_now()
        message["From"] = self.sender
        message["To"] = address
        message["Auto-Submitted"] = "auto-generated"
        message["List-Unsubscribe"] = f"<{stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["Content-Language"] = language
        with speaking(language):
            message["Subject"] = clean_line(email.row.subject.said)
            message.set_content(self._text(email, stop))
        message.add_alternative(self._html(email, language, stop), subtype="html")
        return message

    def _text(self, email: DueEmail, stop: str) -> str:
        label = _label(email.row)
        links = ((_SETTINGS, self.links.settings), (_STOP, stop))
        return "\n".join(
            (
                *(line.shown for line in _lines(email.row)),
                "",
                f"{label.said}: {self.links.page_of(email.row)}",
                "",
                "-- ",
                _WHY.said,
                *(f"{name.said}: {link}" for name, link in links),
                "",
            )
        )

    def _html(self, email: DueEmail, language: str, stop: str) -> str:
        with speaking(language):
            return (
                environment_of(language)
                .get_template("notifications/email.html")
                .render(
                    row=email.row,
                    lines=_lines(email.row),
                    page=(_label(email.row), self.links.page_of(email.row)),
                    why=_WHY,
                    settings=(_SETTINGS, self.links.settings),
                    stop=(_STOP, stop),
                )
            )


def _lines(row: NotificationRow) -> list[Sentence]:
    """Return what an email tells. Its writer does not know the reader's time zone."""
    if row.ends_at is None:
        return [row.sentence]
    ends = ngettext(
        "The %(roles)s role ends on %(time)s.",
        "The %(roles)s roles end on %(time)s.",
        len(row.ending),
        roles=", ".join(row.ending),
        time=exact_utc(row.ends_at),
    )
    return [row.sentence, ends]


def _label(row: NotificationRow) -> Sentence:
    """Return the label of the link to what a notification tells about."""
    return row.lead.label if row.lead else _LIST
