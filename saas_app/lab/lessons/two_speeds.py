"""Lesson 5: a promotion reaches one kind of token at once, the other only with a new grant."""

from __future__ import annotations

from saas_app.identity.credentials.browser_session import SessionCaller
from saas_app.lab.evidence import Asked, Comparison, Evidence, Side, TokenShown
from saas_app.lab.lesson import Answer, Before, Lesson, Task
from saas_app.lab.stage import Fetched, Stage
from saas_app.lab.values import NotYet, StartedOver
from saas_app.rbac.permissions import Carrier, Role
from saas_app.text.translation import _


async def _prepare(stage: Stage) -> Before:
    """Make Sam a viewer, sign him in, and remember both of his tokens."""
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
    trip = await sam.round_trip()
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
        exchanges=(
            Asked(_("Organization token, refreshed"), organization.exchange),
            Asked(_("API-resource token, refreshed with the old grant"), api.exchange),
            Asked(
                _("Silent round trip: a code from the browser, for a new grant")
                if trip.was_silent
                else _("Sam’s session at Logto had ended: a new sign-in, for a new grant"),
                trip.exchange,
            ),
            Asked(_("API-resource token, refreshed with the new grant"), renewed.exchange),
        ),
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
    title=_("What a promotion changes"),
    teaser=_("You make a colleague an admin, and look at both of their tokens."),
    goal=_("You know when a new role arrives in each kind of token."),
    minutes=4,
    story=(
        _(
            "Sam is a viewer in your workshop, and signed in a moment ago. Whoever signs in agrees to what "
            "the application may do at an API. That is called consent. Logto stores the list of these "
            "scopes: the grant."
        ),
        _(
            "You are going to make Sam an admin. Then the lesson refreshes both of Sam’s tokens: it gets new "
            "ones for the same grant. Sam does not sign in again."
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
            _("Open Sam’s roles in your workshop, check admin, and save. Viewer may stay checked or not"),
            "/o/{workshop}/members/{sam}/roles",
        ),
    ),
    prepared=_("For this lesson, Sam is a viewer of your workshop again."),
    act_label=_("Refresh both of Sam’s tokens"),
    prepare=_prepare,
    act=_act,
    why=(
        _(
            "Workroom told you that the change takes effect with Sam’s next request. In a browser, it does. "
            "The organization token follows the role at each refresh. For the other token, Workroom takes "
            "one more step by itself."
        ),
        _(
            "The API-resource token is limited by the grant. At the sign-in, Sam agreed to a certain list. "
            "An application cannot get more than that behind Sam’s back: a refresh can shorten the list, but "
            "never extend it."
        ),
        _(
            "So Workroom goes back to Sam: it sends the browser to Logto and straight back. The session "
            "there is alive, so Logto asks for no password and stores a new grant. This is a silent round "
            "trip. After it, the API-resource token has grown too."
        ),
    ),
    code=(SessionCaller.denial,),
    further=_("Open the audit log of your workshop: it shows the promotion, and who made it."),
)
