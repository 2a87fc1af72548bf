"""Lesson 5: a promotion reaches one kind of token at once, the other only with a new grant."""

from __future__ import annotations

from saas_app.identity.credentials.browser_session import SessionCaller
from saas_app.lab.evidence import Comparison, Evidence, Side, TokenShown
from saas_app.lab.lesson import Answer, Before, Lesson, Task
from saas_app.lab.stage import Fetched, Stage
from saas_app.lab.values import NotYet, StartedOver
from saas_app.rbac.permissions import Carrier, Role
from saas_app.rbac.policy import decide
from saas_app.text.translation import _


async def _prepare(stage: Stage) -> Before:
    """Make Sam a viewer who has signed in as one, and remember both tokens."""
    sam = stage.sam
    await stage.set_role(sam, stage.workshop, Role.VIEWER)
    await sam.sign_in()
    tokens = {carrier.name: _shown(await sam.fetch(stage.workshop, carrier)) for carrier in Carrier}
    return {"grant": sam.grant, **{name: token.as_json() for name, token in tokens.items()}}


async def _act(stage: Stage, before: Before) -> Evidence:
    """Refresh both of Sam's tokens, then the API-resource token once more with a new grant."""
    await _require_promotion(stage, before)
    sam, place = stage.sam, stage.workshop
    organization = await sam.fetch(place, Carrier.ORGANIZATION_TOKEN)
    api = await sam.fetch(place, Carrier.API_TOKEN)
    await sam.round_trip()
    renewed = await sam.fetch(place, Carrier.API_TOKEN)
    earlier = {carrier: TokenShown.from_json(before[carrier.name]) for carrier in Carrier}
    grew = (
        organization.scopes > earlier[Carrier.ORGANIZATION_TOKEN].scopes,
        api.scopes > earlier[Carrier.API_TOKEN].scopes,
    )
    answers = {(True, True): "both", (True, False): "organization", (False, True): "api"}
    return Evidence(
        answers.get(grew, "neither"),
        comparisons=(
            Comparison(
                Side(_("Organization token, as a viewer"), earlier[Carrier.ORGANIZATION_TOKEN]),
                Side(_("Organization token, as an admin"), organization.shown),
                is_change=True,
            ),
            Comparison(
                Side(_("API-resource token, as a viewer"), earlier[Carrier.API_TOKEN]),
                Side(_("API-resource token, as an admin"), api.shown),
                is_change=True,
            ),
            Comparison(
                Side(_("API-resource token, with the old grant"), api.shown),
                Side(_("API-resource token, after a silent round trip"), renewed.shown),
                is_change=True,
            ),
        ),
        exchanges=(organization.exchange, api.exchange, renewed.exchange),
    )


async def _require_promotion(stage: Stage, before: Before) -> None:
    held = await stage.roles_of(stage.sam, stage.workshop)
    if held is None:
        raise StartedOver(
            _(
                "Sam was no longer a member of your workshop, so the lesson has started over and added Sam "
                "as a viewer again. Make Sam an admin now."
            )
        )
    stage.sam.require_grant(before.get("grant"))
    if Role.ADMIN.value not in held:
        raise NotYet(
            _(
                "Sam is not an admin of your workshop yet. Open “Members” there, change Sam’s roles to admin "
                "and confirm. Then look again."
            )
        )


def _shown(fetched: Fetched) -> TokenShown:
    return TokenShown.of(fetched.get_token())


LESSON = Lesson(
    slug="two-speeds",
    title=_("A promotion at two speeds"),
    goal=_("You know when a new role arrives in each kind of token."),
    minutes=4,
    story=(
        _(
            "Sam is a viewer in your workshop, and signed in a moment ago. At the sign-in, Logto stored what "
            "Sam allowed this application to do. That is called a grant."
        ),
        _(
            "You are going to make Sam an admin. Then the lesson refreshes both of Sam’s tokens. Sam does "
            "not sign in again."
        ),
    ),
    question=_("Which of Sam’s tokens carries more scopes after the refresh?"),
    answers=(
        Answer(
            "both",
            _("Both: a refresh reads the current role"),
            _(
                "It is what everybody expects, and it is true of organization tokens. But a refresh never "
                "gives an API-resource token more than the grant holds."
            ),
        ),
        Answer(
            "organization",
            _("Only the organization token"),
            _(
                "Logto reads the scopes of an organization token from the role at each refresh. The scopes "
                "of an API resource were stored in the grant when Sam signed in."
            ),
        ),
        Answer(
            "api",
            _("Only the API-resource token"),
            _("It is the other way round: the API-resource token is the slow one."),
        ),
        Answer(
            "neither",
            _("Neither, before Sam signs in again"),
            _(
                "Many systems read roles only at the sign-in. Logto reads them at each refresh, with one "
                "limit."
            ),
        ),
    ),
    tasks=(
        Task(
            _("Open Sam’s roles in your workshop, choose admin, and confirm"),
            "/o/{workshop}/members/{sam}/roles",
        ),
    ),
    act_label=_("Refresh both of Sam’s tokens"),
    prepare=_prepare,
    act=_act,
    why=(
        _("The organization token follows the role: a refresh is enough, in both directions."),
        _(
            "The scopes of an API resource are frozen in the grant at consent. A refresh can take some away, "
            "but never add one."
        ),
        _(
            "A new grant needs no password. The browser goes to Logto and straight back, because the session "
            "there is alive: a silent round trip. After it, the API-resource token has grown too."
        ),
        _(
            "Workroom makes this round trip by itself when your role grants what your token lacks. That is "
            "why you rarely notice it."
        ),
    ),
    code=(SessionCaller.denial, decide),
    further=_("Open the audit log of your workshop: it shows the promotion, and who made it."),
)
