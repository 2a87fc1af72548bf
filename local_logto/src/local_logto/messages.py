"""Messages for the messages page, which are not delivered anywhere else.

``connectors.sending`` decides which messages those are and what they say.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from local_logto.store import Store, metadata, new_id

KEPT_MESSAGES = 200

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),  # "email" or "phone"
    sa.Column("recipient", sa.String, nullable=False),
    sa.Column("usage", sa.String, nullable=False),  # Logto's template type
    sa.Column("code", sa.String),
    sa.Column("link", sa.String),
    sa.Column("subject", sa.String),
    sa.Column("text", sa.String),
    sa.Column("sender", sa.String),
    sa.Column("html", sa.String),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

_NEWEST_FIRST: tuple[sa.ColumnElement[object], ...] = (
    messages.c.created_at.desc(),
    sa.literal_column("rowid").desc(),
)


@dataclass(frozen=True)
class Message:
    """One message.

    ``usage`` is Logto's template type. ``code`` or ``link`` is what the message carries; ``subject``,
    ``text`` and ``html`` are what people read. ``html`` is None for a plain text, ``sender`` is None if no
    connector names one.
    """

    kind: str
    recipient: str
    usage: str
    created_at: int
    code: str | None = None
    link: str | None = None
    subject: str | None = None
    text: str | None = None
    sender: str | None = None
    html: str | None = None
    id: str = field(default_factory=new_id)


_COLUMNS = tuple(messages.c[name] for name in Message.__dataclass_fields__)


def store_message(store: Store, message: Message) -> None:
    """Store a message, and delete the oldest ones beyond ``KEPT_MESSAGES``."""
    kept = sa.select(messages.c.id).order_by(*_NEWEST_FIRST).limit(KEPT_MESSAGES)
    with store.begin() as connection:
        connection.execute(messages.insert().values(**vars(message)))
        connection.execute(messages.delete().where(messages.c.id.not_in(kept)))


def list_messages(store: Store) -> list[Message]:
    """Return all stored messages, newest first."""
    with store.begin() as connection:
        rows = connection.execute(sa.select(*_COLUMNS).order_by(*_NEWEST_FIRST))
        return [Message(*row) for row in rows]


def find_message(store: Store, message_id: str) -> Message | None:
    with store.begin() as connection:
        row = connection.execute(sa.select(*_COLUMNS).where(messages.c.id == message_id)).one_or_none()
    return None if row is None else Message(*row)
