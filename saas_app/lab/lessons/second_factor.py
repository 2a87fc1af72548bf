"""Lesson 10: a new rule for members takes effect when the next token is issued."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from saas_app.identity.bearer_freshness import BearerFreshness
from saas_app.identity.freshness import Freshness
from saas_app.lab.evidence import Asked, Comparison, Decided, Evidence, Side, TokenShown
from saas_app.lab.lesson import Answer, Before, Lesson
from saas_app.lab.naive import decide_by_token_alone, decision_of_workroom
from saas_app.lab.stage import Fetched, Stage
from saas_app.lab.values import StartedOver
from saas_app.rbac.decision import Decision
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.text.translation import _

_ASKED: Final = Permission.PROJECTS_READ


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
    label, name = _("Kim’s token"), kim.player.name
    earlier = await stage.call(path, old, label, title=_("Before the rule"))
    async with _requiring(stage):
        naive = await decide_by_token_alone(stage, old, name, place, _ASKED)
        later = await stage.call(path, old, label, title=_("After the rule, with the same token"))
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
        exchanges=(
            Asked(_("After the rule, a new token for Kim"), refused.exchange),
            Asked(_("After the rule, a new token for Rosa"), admin.exchange),
            Asked(_("Once the rule was gone, a new token for Kim"), again.exchange),
        ),
        requests=(earlier, later),
        decisions=(
            Decided(_("After the rule, at a service that looks only at the token"), naive),
            Decided(
                _("After the rule, at Workroom"),
                decision_of_workroom(later, TokenShown.of(old), name, place, _ASKED),
            ),
        ),
        remarks=(
            *(
                ()
                if admin.token
                else (_("Rosa has no second factor either, so she has locked herself out."),)
            ),
            _("The lesson has switched the rule off again, so Kim gets tokens for the studio as before."),
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
    teaser=_("An organization makes a new rule for its members."),
    goal=_("You know when a new rule of an organization takes effect, and for whom."),
    minutes=4,
    story=(
        _(
            "Kim is a viewer of Rosa’s studio and got a token for it a moment ago. Now Rosa requires a "
            "second factor of all members: a second proof besides the password, such as a code from an app. "
            "Kim has none."
        ),
        _("Another service trusts Kim’s tokens, too. It looks at nothing but the token."),
    ),
    question=_("At the service that looks only at the token, when does Kim lose access to the studio?"),
    answers=(
        Answer(
            "at-once",
            _("At once: Rosa’s rule ends the tokens from before"),
            _(
                "Nothing happens to a token when a rule changes, as you saw with a demotion. The service "
                "notices nothing."
            ),
        ),
        Answer(
            "next-exchange",
            _("When Kim’s token has expired: Logto issues no new one for the studio"),
            _(
                "Until then, the service lets Kim in. Logto checks the rule whenever it issues a token for "
                "the organization."
            ),
        ),
        Answer(
            "next-sign-in",
            _("When Kim signs in the next time: that is where a second factor is asked for"),
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
    prepared=_("For this lesson, Kim is a viewer of Rosa’s studio, which has no such rule yet."),
    act_label=_("Require a second factor as Rosa"),
    prepare=_prepare,
    act=_act,
    why=(
        _(
            "Three places, three moments. The service that looks only at the token lets Kim in until the "
            "token expires, up to an hour."
        ),
        _(
            "Workroom knows of the rule, because Rosa made it there. It rejects the old token at once, with "
            "401. In a browser, it would ask Logto for a new one at the next click."
        ),
        _(
            "Logto refuses the new one, with 403: Kim has no second factor. It refuses every member without "
            "one, even the admin who made the rule. Tokens for other organizations are not affected."
        ),
    ),
    code=(Freshness.is_fresh, BearerFreshness.is_current),
    further=_(
        "Set up a second factor for your own account first. Then require one in the settings of your "
        "workshop."
    ),
)
