"""The *Continue with …* buttons of the first pages, and the names of their providers."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from local_logto.connectors.factories import FACTORIES
from local_logto.connectors.registry import Connector
from local_logto.context import current_settings
from local_logto.experience.session import ExperienceSession
from local_logto.experience.social import list_social_connectors
from local_logto.translation import _


@dataclass(frozen=True)
class SocialButton:
    """One button. Its form posts to ``path`` on this server, which redirects to ``origin``, the provider."""

    name: str
    path: str
    origin: str

    @property
    def label(self) -> str:
        return _("Continue with %(name)s", name=self.name)


def list_social_buttons(session: ExperienceSession) -> tuple[SocialButton, ...]:
    """Return a button for each social connector that the sign-in experience offers."""
    provider = urlsplit(current_settings().naver_base_url)
    return tuple(
        SocialButton(name_of(one), f"/direct/social/{one.target}", f"{provider.scheme}://{provider.netloc}")
        for one in list_social_connectors(session)
    )


def name_of(connector: Connector) -> str:
    """Return the provider's name in the language of these pages."""
    return FACTORIES[connector.connector_id].name["en"]
