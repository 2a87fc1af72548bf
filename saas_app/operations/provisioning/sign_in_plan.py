"""The declared connectors, email templates and sign-in experience against what Logto holds. Pure.

Only keys are ever named, never values: a connector's config holds secrets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from saas_app.errors import ConfigurationError
from saas_app.logto import Connector
from saas_app.operations.provisioning.changes import Action, Change, Kind
from saas_app.operations.provisioning.found import Found
from saas_app.operations.sign_in_methods.model import Declaration
from saas_app.operations.sign_in_methods.wire import (
    DeclaredConnector,
    DeclaredEmailTemplate,
    connectors_of,
    email_templates_of,
    fallback_of,
    sign_in_experience_of,
)

EXPERIENCE: Final = "what the sign-in pages offer"
_ONE_OF_A_TYPE: Final = {
    "mailgun-email": "Email",
    "mock-email-service": "Email",
    "gatewayapi-sms": "Sms",
    "mock-short-message-service": "Sms",
}


def plan_sign_in(declaration: Declaration, found: Found) -> Iterator[Change]:
    """Every declared thing with its action, in the order in which they are made."""
    for connector in connectors_of(declaration):
        yield _connector(connector, found)
    for template in wanted_templates(declaration, found):
        yield _template(template, found)
    experience = wanted_experience(declaration, found)
    differing = [key for key, value in experience.items() if found.sign_in_experience.get(key) != value]
    action = Action.UPDATE if differing else Action.HOLDS
    yield Change(Kind.SIGN_IN_EXPERIENCE, EXPERIENCE, action, ", ".join(differing))


def find_connector(factory: str, found: Found) -> Connector | None:
    """The one of this kind that Logto has."""
    return next((connector for connector in found.connectors if connector.factory == factory), None)


def wanted_templates(declaration: Declaration, found: Found) -> tuple[DeclaredEmailTemplate, ...]:
    """The email templates that the tenant shall keep.

    Those of the fallback language are the connector's own; the tenant keeps them only where it keeps some in
    that language already, because those would be sent in their place (Logto 1.42). Raises
    :class:`ConfigurationError` where such a one stands before a template that the provider keeps.
    """
    fallback = fallback_of(declaration)
    declared = email_templates_of(declaration)
    in_the_way = sorted(template.usage for template in found.email_templates if template.language == fallback)
    if not in_the_way:
        return tuple(template for template in declared if template.language != fallback)
    email = declaration.connectors.email
    if email and any(texts[fallback].template for texts in email.templates.values()):
        raise ConfigurationError(
            f"Logto stores email templates in '{fallback}' ({', '.join(in_the_way)}), which "
            "replace the templates in Mailgun: delete them in Logto."
        )
    return declared


def wanted_experience(declaration: Declaration, found: Found) -> dict[str, object]:
    """The declared objects of the sign-in experience, whole."""
    declared = {connector.factory for connector in connectors_of(declaration)}
    theirs = frozenset(
        connector.target for connector in found.connectors if connector.factory not in declared
    )
    return sign_in_experience_of(declaration, found.sign_in_experience, theirs)


def _connector(declared: DeclaredConnector, found: Found) -> Change:
    existing = find_connector(declared.factory, found)
    if existing is None:
        type_ = _ONE_OF_A_TYPE.get(declared.factory)
        replaced = [connector.factory for connector in found.connectors if connector.type == type_]
        detail = f"in place of {', '.join(replaced)}" if replaced else ""
        return Change(Kind.CONNECTOR, declared.factory, Action.CREATE, detail)
    reasons = [f"{key} differs" for key in _differing(declared.config, existing.config)]
    if declared.sync_profile is not None and declared.sync_profile != existing.sync_profile:
        reasons.append("syncProfile differs")
    action = Action.UPDATE if reasons else Action.HOLDS
    return Change(Kind.CONNECTOR, declared.factory, action, ", ".join(reasons))


def _differing(declared: Mapping[str, object], existing: Mapping[str, object]) -> list[str]:
    """The keys of a config that differ, those of texts by their usage."""
    names: list[str] = []
    for key in sorted(declared.keys() | existing.keys()):
        ours, theirs = _by_usage(declared.get(key)), _by_usage(existing.get(key))
        if ours == theirs:
            continue
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            inner = sorted(ours.keys() | theirs.keys())
            names += [f"{key}.{name}" for name in inner if ours.get(name) != theirs.get(name)]
        else:
            names.append(key)
    return names


def _by_usage(value: object) -> object:
    """A list of texts, each with its usage, as a mapping: their order says nothing."""
    if isinstance(value, list) and all(
        isinstance(entry, Mapping) and "usageType" in entry for entry in value
    ):
        return {str(entry["usageType"]): entry for entry in value}
    return value


def _template(declared: DeclaredEmailTemplate, found: Found) -> Change:
    for existing in found.email_templates:
        if (existing.usage, existing.language) == (declared.usage, declared.language):
            keys = _differing(declared.details, existing.details)
            action = Action.UPDATE if keys else Action.HOLDS
            return Change(
                Kind.EMAIL_TEMPLATE, declared.name, action, ", ".join(f"{key} differs" for key in keys)
            )
    return Change(Kind.EMAIL_TEMPLATE, declared.name, Action.CREATE)
