"""The Experience API's view of the browser's interaction: load it, store changes, end it.

``interactions`` finds the interaction by its cookie and resumes the authorization request.
"""

from __future__ import annotations

from dataclasses import dataclass

from quart import Request

from local_logto.experience.sign_in_experience import SignInExperience
from local_logto.experience.state import Event, Experience
from local_logto.oidc.session.interactions import Interaction, finish_login, get_interaction, save_experience
from local_logto.refusals import refusal
from local_logto.store import Store


@dataclass
class ExperienceSession:
    """One request's work on an interaction. ``experience`` is its state, which ``save`` stores."""

    request: Request
    store: Store
    settings: SignInExperience
    interaction: Interaction
    begun: Experience | None

    @property
    def experience(self) -> Experience:
        """The state so far. Raises 404 ``session.interaction_not_found`` if no event is set."""
        if self.begun is None:
            raise refusal("session.interaction_not_found")
        return self.begun

    async def begin(self, event: Event) -> None:
        """Start over with this event. Everything collected before is dropped."""
        await self.save(
            Experience(
                event,
                ip=self.request.remote_addr or "",
                user_agent=self.request.headers.get("User-Agent", ""),
            )
        )

    async def save(self, experience: Experience) -> None:
        """Store the new state at once, so that a later error in the same request doesn't lose it."""
        save_experience(self.interaction, experience.to_json())
        self.begun = experience

    async def forget(self) -> None:
        """Drop the state. The next step must set an event again."""
        save_experience(self.interaction, {})
        self.begun = None

    async def finish(self, user_id: str) -> str:
        """Hand the signed-in user to the authorization request. Returns the URL where it resumes."""
        submission = self.experience.to_submission_json()
        return finish_login(self.interaction, user_id, submission, self.request)


def open_session(request: Request, store: Store, settings: SignInExperience) -> ExperienceSession:
    """Return the session of this browser's interaction. Raises 400 ``session.not_found`` without one."""
    interaction = get_interaction(request)
    begun = Experience.from_json(interaction.experience) if interaction.experience else None
    return ExperienceSession(request, store, settings, interaction, begun)
