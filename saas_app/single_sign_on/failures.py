"""What the admins of an organization learn when its identity provider fails and only they can help. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from saas_app.models import SsoFailure
from saas_app.text.translation import Sentence, _


@dataclass(frozen=True, slots=True)
class Explanation:
    """A failure in words. ``reason`` is part of a sentence of the audit log, which stores it."""

    reason: Sentence
    problem: Sentence
    advice: Sentence


EXPLANATIONS: Final[Mapping[SsoFailure, Explanation]] = {
    SsoFailure.CREDENTIALS: Explanation(
        _("the provider did not accept the client secret"),
        _("The provider does not accept Workroom’s client ID or client secret."),
        _("Usually the secret has expired. Create a new one at your provider, and enter it here."),
    ),
    SsoFailure.REQUEST: Explanation(
        _("the provider did not accept the request"),
        _("The provider does not let Workroom’s client fetch tokens."),
        _(
            "Check the client at your provider: its redirect URI, its scopes, and whether it may use the "
            "authorization code flow."
        ),
    ),
    SsoFailure.UNREACHABLE: Explanation(
        _("the provider cannot be reached"),
        _("Workroom cannot reach the provider."),
        _("Check that it is running at the issuer below, and that its TLS certificate is valid."),
    ),
    SsoFailure.METADATA: Explanation(
        _("the provider’s metadata cannot be used"),
        _("Workroom cannot use what the provider publishes at its issuer."),
        _("Compare the issuer below with the one in your provider’s console."),
    ),
    SsoFailure.KEYS: Explanation(
        _("the provider’s signatures cannot be verified"),
        _("Workroom cannot verify the provider’s signatures."),
        _(
            "Check that your provider signs ID tokens with RS256 or ES256, and publishes the key with which "
            "it signs."
        ),
    ),
    SsoFailure.TOKENS: Explanation(
        _("the provider’s answers cannot be verified"),
        _("Workroom cannot read or verify what the provider says about people."),
        _("Check the client at your provider, and the provider’s clock."),
    ),
}
