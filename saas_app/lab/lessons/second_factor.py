"""Lesson 9: a new rule for members takes effect when the next token is issued."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from saas_app.identity.bearer_freshness import BearerFreshness
from saas_app.identity.freshness import Freshness
from saas_app.lab.evidence import Comparison, Decided, Evidence, Side
from saas_app.lab.lesson import Answer, Before, Lesson
from saas_app.lab.naive import decide_by_token_alone
from saas_app.lab.stage import Fetched, Stage
from saas_app.lab.values import StartedOver
from saas_app.rbac.decision import Decision
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.text.translation import _


async def _prepare(stage: Stage) -> Before:
    """Make sure that Kim is a viewer of the studio."""
    await stage.set_role(stage.kim, stage.studio, Role.VIEWER)
    return {}


async def _act(stage: Stage, before: Before) -> Evidence:
    """Fetch Kim’s token, require a second factor, and try the old token and a new one."""
    kim, place = stage.kim, stage.studio
    if await stage.roles_of(kim, place) is None:
        raise StartedOver(
            _("Kim was no longer in Rosa’s studio, so the lesson has added Kim. Try once more.")
        )
    path = f"/api/v1/organizations/{place.id}/projects"
    (await stage.rosa.fetch(place, Carrier.ORGANIZATION_TOKEN)).get_token()  # signs Rosa in before the rule
    old = (await kim.fetch(place, Carrier.API_TOKEN)).get_token()
    earlier = await stage.call(path, old, _("Kim’s token, before Rosa’s rule"))
    async with _requiring(stage):
        naive = await decide_by_token_alone(stage, old, kim.player.name, place, Permission.PROJECTS_READ)
        later = await stage.call(path, old, _("The same token, after it"))
        refused = await kim.fetch(place, Carrier.API_TOKEN)
        elsewhere = await kim.fetch(None, None)
        admin = await stage.rosa.fetch(place, Carrier.ORGANIZATION_TOKEN)
    again = await kim.fetch(place, Carrier.API_TOKEN)
    return Evidence(
        _answer(naive, refused),
        comparisons=(
            Comparison(
                Side(_("For Rosa’s studio"), refused.shown),
                Side(_("Without an organization"), elsewhere.shown),
            ),
        ),
        exchanges=(refused.exchange, admin.exchange, again.exchange),
        requests=(earlier, later),
        decisions=(Decided(_("A service that checks only the token"), naive),),
        remarks=(
            *(
                ()
                if admin.token
                else (_("Rosa has no second factor either, so she has locked herself out."),)
            ),
            _(
                "The lesson has switched the rule off again. The last request to Logto shows that Kim is "
                "back."
            ),
        ),
    )


def _answer(naive: Decision, refused: Fetched) -> str:
    if not naive.allowed:
        return "at-once"
    return "next-exchange" if refused.token is None else "next-sign-in"


@asynccontextmanager
async def _requiring(stage: Stage) -> AsyncIterator[None]:
    """Require a second factor in the studio during the block. It is switched off whatever happens.

    If Logto is down by then, the next request of the lab does it (:meth:`Stage.require_ground`).
    """
    try:
        await stage.require_mfa(stage.studio, True)
        yield
    finally:
        await stage.require_mfa(stage.studio, False)


LESSON = Lesson(
    slug="second-factor",
    title=_("Who is out, and when?"),
    goal=_("You know when a new rule of an organization takes effect, and for whom."),
    minutes=3,
    story=(
        _(
            "Kim is a viewer of Rosa’s studio and got a token for it a moment ago. Kim has no second factor, "
            "such as an authenticator app."
        ),
        _("Now Rosa requires a second factor of all members."),
    ),
    question=_("When is Kim out?"),
    answers=(
        Answer(
            "at-once",
            _("At once: the token stops working everywhere"),
            _(
                "The token in Kim’s hands does not change, as you saw with a demotion. A service that checks "
                "only the token notices nothing."
            ),
        ),
        Answer(
            "next-exchange",
            _("When the next token for the studio is requested"),
            _("Logto checks the rule whenever it issues a token for the organization, and only then."),
        ),
        Answer(
            "next-sign-in",
            _("When Kim signs in the next time, because that is where a second factor is asked for"),
            _(
                "Kim’s session stays as it is, and other organizations keep working. The rule belongs to the "
                "organization, so its tokens are where it is enforced."
            ),
        ),
        Answer(
            "never",
            _("Never: the rule is for people who join later"),
            _("Logto makes no exception, neither for old members nor for the admin who made the rule."),
        ),
    ),
    act_label=_("Require a second factor as Rosa"),
    prepare=_prepare,
    act=_act,
    why=(
        _(
            "Logto answers the next request for a token with 403: the organization requires a second factor, "
            "and this person has none. The refresh token stays good for everything else."
        ),
        _("The rule counts for all members alike. Whoever switches it on needs a second factor first."),
        _(
            "Workroom knows of the change, so it requests a new token at the next click. A service that "
            "trusts tokens alone lets Kim in until the old one expires."
        ),
    ),
    code=(Freshness.is_fresh, BearerFreshness.is_current),
    further=_(
        "Set up a second factor for your own account first. Then require one in the settings of your "
        "workshop."
    ),
)
