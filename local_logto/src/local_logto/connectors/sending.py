"""Delivering messages: every email and text message is sent here.

``sent_messages`` counts them, and ``templates`` holds what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from local_logto.connectors import built_in, gatewayapi, mailgun
from local_logto.connectors.custom_templates import find_custom_template
from local_logto.connectors.factories import GATEWAYAPI, MAILGUN, ConnectorType, Factory
from local_logto.connectors.registry import Connector, find_connector
from local_logto.errors import RequestError
from local_logto.settings import Settings
from local_logto.store import Store

Kind = Literal["email", "phone"]

CONNECTOR_TYPES: Final[Mapping[Kind, ConnectorType]] = {"email": "Email", "phone": "Sms"}


@dataclass(frozen=True)
class Outgoing:
    """A message to send.

    ``recipient`` is an email address, or digits that start with the country code. ``usage`` is Logto's
    template type. ``payload`` is what templates may use (``code``, ``link``, ``application``, …). Its
    ``locale``, a language tag, also selects the language of the template.
    """

    kind: Kind
    recipient: str
    usage: str
    payload: Mapping[str, object]

    @property
    def locale(self) -> str | None:
        locale = self.payload.get("locale")
        return locale if isinstance(locale, str) else None


async def send(store: Store, settings: Settings, message: Outgoing) -> None:
    """Send through the connector of this kind, or to the messages page if there is none.

    Raises ``RequestError``: 400 ``connector.general`` if the provider rejects the message or doesn't answer
    within ``connector_timeout``, 400 ``connector.invalid_config`` or ``connector.template_not_found``, and
    501 ``connector.not_found`` if there is no connector and the messages page is off.
    """
    connector = _find(store, message.kind)
    if connector is None:
        _refuse_without_connector(settings, CONNECTOR_TYPES[message.kind])
        _to_messages_page(store, {}, message)
    else:
        await send_by(store, settings, connector.factory, connector.config, message)


async def send_by(
    store: Store, settings: Settings, factory: Factory, config: Mapping[str, Any], message: Outgoing
) -> None:
    """Send through a connector of this factory with this configuration, stored or not. Raises what ``send``
    raises.
    """
    factory.check(config)
    to, usage, payload = message.recipient, message.usage, message.payload
    if factory is MAILGUN:
        custom = find_custom_template(store, usage, message.locale)
        await mailgun.send(
            config,
            to,
            usage,
            payload,
            custom,
            base_url=settings.mailgun_base_url,
            timeout_seconds=settings.connector_timeout,
        )
    elif factory is GATEWAYAPI:
        await gatewayapi.send(config, to, usage, payload, timeout_seconds=settings.connector_timeout)
    else:
        _to_messages_page(store, config, message)


def can_send(store: Store, settings: Settings, kind: Kind) -> bool:
    """Return whether messages of this kind can be sent. The messages page counts unless it is off."""
    return settings.built_in_messages or has_connector(store, kind)


def has_connector(store: Store, kind: Kind) -> bool:
    """Return whether a connector of this kind is configured. Without one, Logto itself sends nothing."""
    return _find(store, kind) is not None


def goes_to_messages_page(store: Store, kind: Kind) -> bool:
    """Return whether messages of this kind go to the messages page instead of being delivered."""
    connector = _find(store, kind)
    return connector is None or connector.factory.keeps_messages


def _find(store: Store, kind: Kind) -> Connector | None:
    return find_connector(store, type=CONNECTOR_TYPES[kind])


def _to_messages_page(store: Store, config: Mapping[str, Any], message: Outgoing) -> None:
    is_email = message.kind == "email"
    custom = find_custom_template(store, message.usage, message.locale) if is_email else None
    built_in.send(store, config, message.kind, message.recipient, message.usage, message.payload, custom)


def _refuse_without_connector(settings: Settings, type_: ConnectorType) -> None:
    if not settings.built_in_messages:
        sentence = f"Cannot find any available connector for type: {type_}."
        raise RequestError(501, "connector.not_found", sentence)
