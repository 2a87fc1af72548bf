"""Compares the declared connectors, email templates and sign-in experience with those in Logto. Pure.

The plan names keys, never values, because a connector's config contains secrets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from saas_app.errors import ConfigurationError
from saas_app.logto import Connector
from saas_app.operations.provisioning.changes import Action, Change, Kind
from saas_app.operations.provisioning.found import Found
from saas_app.operations.sign_in_methods.connector_configs import (
    DeclaredConnector,
    DeclaredEmailTemplate,
    connectors_of,
    email_templates_of,
    fallback_of,
)
from saas_app.operations.sign_in_methods.model import Declaration
from saas_app.operations.sign_in_methods.sign_in_experience import sign_in_experience_of
from saas_app.text.translation import Sentence, _

EXPERIENCE: Final = _("what the sign-in pages offer")
_ONE_OF_A_TYPE: Final = {
    "mailgun-email": "Email",
    "mock-email-service": "Email",
    "gatewayapi-sms": "Sms",
    "mock-short-message-service": "Sms",
}


def plan_sign_in(declaration: Declaration, found: Found) -> Iterator[Change]:
    """Return every declared item with its action, in the order in which they are written."""
    for connector in connectors_of(declaration):
        yield _connector(connector, found)
    for template in wanted_templates(declaration, found):
        yield _template(template, found)
    differing = changed_experience(declaration, found)
    action = Action.UPDATE if differing else Action.KEEP
    yield Change(Kind.SIGN_IN_EXPERIENCE, EXPERIENCE, action, ", ".join(differing))


def find_connector(factory: str, found: Found) -> Connector | None:
    """Return the connector of this kind in Logto, or None."""
    return next((connector for connector in found.connectors if connector.factory == factory), None)


def wanted_templates(declaration: Declaration, found: Found) -> tuple[DeclaredEmailTemplate, ...]:
    """Return the email templates to store in the tenant.

    Templates in the fallback language are part of the connector. They are stored in the tenant too only if it
    already has some in that language, because Logto 1.42 would send those instead. Raises
    :class:`ConfigurationError` if one of those would replace a template that is stored at the provider.
    """
    fallback = fallback_of(declaration)
    declared = email_templates_of(declaration)
    in_the_way = sorted(template.usage for template in found.email_templates if template.language == fallback)
    if not in_the_way:
        return tuple(template for template in declared if template.language != fallback)
    email = declaration.connectors.email
    if email and any(texts[fallback].template for texts in email.templates.values()):
        raise ConfigurationError(
            _(
                "Logto stores email templates in '%(fallback)s' (%(in_the_way)s), which replace the "
                "templates in Mailgun: delete them in Logto.",
                fallback=fallback,
                in_the_way=", ".join(in_the_way),
            )
        )
    return declared


def wanted_experience(declaration: Declaration, found: Found) -> dict[str, object]:
    """Return the declared objects of the sign-in experience, each complete."""
    declared = {connector.factory for connector in connectors_of(declaration)}
    others = frozenset(
        connector.target for connector in found.connectors if connector.factory not in declared
    )
    return sign_in_experience_of(declaration, found.sign_in_experience, others)


def changed_experience(declaration: Declaration, found: Found) -> dict[str, object]:
    """Return those objects of :func:`wanted_experience` that differ from Logto's."""
    wanted = wanted_experience(declaration, found)
    return {key: value for key, value in wanted.items() if found.sign_in_experience.get(key) != value}


def _connector(declared: DeclaredConnector, found: Found) -> Change:
    existing = find_connector(declared.factory, found)
    if existing is None:
        type_ = _ONE_OF_A_TYPE.get(declared.factory)
        replaced = [connector.factory for connector in found.connectors if connector.type == type_]
        detail = _("in place of %(replaced)s", replaced=", ".join(replaced)) if replaced else ""
        return Change(Kind.CONNECTOR, declared.factory, Action.CREATE, detail)
    reasons = [_("%(key)s differs", key=key) for key in _differing(declared.config, existing.config)]
    if declared.sync_profile is not None and declared.sync_profile != existing.sync_profile:
        reasons.append(_("syncProfile differs"))
    action = Action.UPDATE if reasons else Action.KEEP
    return Change(Kind.CONNECTOR, declared.factory, action, Sentence.joined(reasons))


def _differing(declared: Mapping[str, object], existing: Mapping[str, object]) -> list[str]:
    """Return the keys of a config that differ. Texts are named by their usage."""
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
    """Return a list of texts as a mapping by usage, because their order does not matter."""
    if isinstance(value, list) and all(
        isinstance(entry, Mapping) and "usageType" in entry for entry in value
    ):
        return {str(entry["usageType"]): entry for entry in value}
    return value


def _template(declared: DeclaredEmailTemplate, found: Found) -> Change:
    for existing in found.email_templates:
        if (existing.usage, existing.language) == (declared.usage, declared.language):
            keys = _differing(declared.details, existing.details)
            action = Action.UPDATE if keys else Action.KEEP
            return Change(
                Kind.EMAIL_TEMPLATE,
                declared.name,
                action,
                Sentence.joined(_("%(key)s differs", key=key) for key in keys),
            )
    return Change(Kind.EMAIL_TEMPLATE, declared.name, Action.CREATE)
