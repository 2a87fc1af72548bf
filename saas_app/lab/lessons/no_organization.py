"""Lesson 4: a token that names no organization adds up the permissions of all."""

from __future__ import annotations

from saas_app.identity.credentials.bearer_token import TokenCaller
from saas_app.lab.evidence import Asked, Comparison, Evidence, Side
from saas_app.lab.lesson import Answer, Before, Lesson
from saas_app.lab.stage import Fetched, Stage
from saas_app.lab.values import Place
from saas_app.rbac.permissions import Carrier
from saas_app.text.translation import Sentence, _


async def _prepare(stage: Stage) -> Before:
    """Remember what your tokens grant now, to notice a change by another tab."""
    return {"scopes": [sorted(one.scopes) for one in await _own_tokens(stage)]}


async def _act(stage: Stage, before: Before) -> Evidence:
    """Fetch an API-resource token without an organization, and send it to the API."""
    workshop, studio = await _own_tokens(stage)
    everywhere = await stage.learner.fetch(None, Carrier.API_TOKEN)
    requests = []
    if everywhere.token is not None:
        label = _("token without an organization")
        for place in (stage.studio, stage.workshop):
            requests.append(await stage.call(_path(place), everywhere.token, label))
        requests.append(
            await stage.call(_path(stage.studio), studio.get_token(), _("your token for Rosa’s studio"))
        )
    return Evidence(
        _answer(workshop, studio, everywhere),
        comparisons=(
            Comparison(
                Side(_("For Rosa’s studio"), studio.shown),
                Side(_("Without an organization"), everywhere.shown),
            ),
        ),
        exchanges=(
            Asked(_("Token for Rosa’s studio"), studio.exchange),
            Asked(_("Token without an organization"), everywhere.exchange),
        ),
        requests=tuple(requests),
        remarks=_remarks(before, workshop, studio),
    )


async def _own_tokens(stage: Stage) -> tuple[Fetched, Fetched]:
    return await stage.fetch_own(stage.workshop), await stage.fetch_own(stage.studio)


def _answer(workshop: Fetched, studio: Fetched, everywhere: Fetched) -> str:
    """Return which answer the scopes prove. Membership of more organizations can only add scopes."""
    if everywhere.token is None:
        return "refused"
    if not everywhere.scopes:
        return "nothing"
    return "union" if everywhere.scopes >= workshop.scopes | studio.scopes else "smallest"


def _remarks(before: Before, workshop: Fetched, studio: Fetched) -> tuple[Sentence, ...]:
    if before.get("scopes") == [sorted(workshop.scopes), sorted(studio.scopes)]:
        return ()
    return (
        _(
            "Your permissions changed between your prediction and this look, for example because another tab "
            "refreshed your access. The tokens below are the current ones."
        ),
    )


def _path(place: Place) -> str:
    return f"/api/v1/organizations/{place.id}/projects"


LESSON = Lesson(
    slug="no-organization",
    title=_("A token that names no organization"),
    teaser=_("Workroom asks Logto for a token, and leaves one line out."),
    goal=_("You know why an API must reject a token that names no organization."),
    minutes=3,
    story=(
        _(
            "Each API-resource token so far was for one organization: Workroom sent organization_id with the "
            "request to Logto."
        ),
        _(
            "Now Workroom leaves organization_id out. You are an admin of your workshop, and only a viewer "
            "of Rosa’s studio."
        ),
    ),
    question=_("Which scopes does Logto put into this token?"),
    answers=(
        Answer(
            "refused",
            _("No token at all: Logto cannot know which organization is meant"),
            _("A token without an organization is not an error for Logto. Other products want exactly that."),
        ),
        Answer(
            "nothing",
            _("None: there is a token, but its scope is empty"),
            _("It would be careful, because no organization means no role. Logto is more generous."),
        ),
        Answer(
            "smallest",
            _("Only those that I have in each of my organizations"),
            _("It would be safe, because such a token could do no harm anywhere. Logto does the opposite."),
        ),
        Answer(
            "union",
            _("All that I have in any of my organizations"),
            _(
                "Logto adds up the scopes of all your roles. The token no longer says where each one comes "
                "from."
            ),
        ),
    ),
    act_label=_("Fetch the token without an organization"),
    prepare=_prepare,
    act=_act,
    why=(
        _(
            "The token carries projects:delete. Rosa’s studio does not grant you that. But the token has no "
            "claim organization_id, so nobody can tell where it comes from."
        ),
        _(
            "If an API accepted it for Rosa’s studio, you could delete projects there. The API would use "
            "your power in one place for another one. Such an API is called a confused deputy."
        ),
        _("So Workroom rejects every token that names no organization, whatever its scopes are."),
    ),
    code=(TokenCaller.get_tenant,),
    further=_(
        "Look for a place in your own product that reads the scopes of a token, but not its organization."
    ),
)
