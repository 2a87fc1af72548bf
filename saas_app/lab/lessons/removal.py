"""Lesson 8: membership, session and grant are three things, and a removal ends one of them."""

from __future__ import annotations

from saas_app.identity.tenants import find_stale
from saas_app.lab.evidence import Asked, Comparison, Evidence, Side
from saas_app.lab.lesson import Answer, Before, Lesson, Task
from saas_app.lab.stage import Stage
from saas_app.lab.values import NotYet
from saas_app.rbac.permissions import Carrier, Role
from saas_app.text.translation import _


async def _prepare(stage: Stage) -> Before:
    """Make Sam a member, and sign him in."""
    await stage.set_role(stage.sam, stage.workshop, Role.VIEWER)
    await stage.sam.sign_in()
    return {}


async def _act(stage: Stage, before: Before) -> Evidence:
    """Ask for every kind of token, for userinfo, and for a silent round trip."""
    sam, place = stage.sam, stage.workshop
    if await stage.roles_of(sam, place) is not None:
        raise NotYet(
            _(
                "Sam is still a member of your workshop. Open “Members” there, remove Sam and confirm. Then "
                "look again."
            )
        )
    organization = await sam.fetch(place, Carrier.ORGANIZATION_TOKEN)
    api = await sam.fetch(place, Carrier.API_TOKEN)
    opaque = await sam.fetch(None, None)
    requests = () if opaque.token is None else (await sam.user_info(opaque.token),)
    trip = await sam.round_trip()
    is_signed_in = trip.was_silent and any(request.status == 200 for request in requests)
    answers = {(False, False): "session" if is_signed_in else "nothing", (False, True): "api"}
    return Evidence(
        answers.get((organization.token is not None, api.token is not None), "everything"),
        comparisons=(
            Comparison(
                Side(_("For the workshop"), api.shown), Side(_("Without an organization"), opaque.shown)
            ),
        ),
        exchanges=(
            Asked(_("Organization token for the workshop"), organization.exchange),
            Asked(_("API-resource token for the workshop"), api.exchange),
            Asked(_("Token without an organization"), opaque.exchange),
            Asked(_("Round trip of Sam’s browser to Logto"), trip.exchange),
        ),
        requests=requests,
        remarks=(
            _("Sam’s browser went to Logto and came back without a password: the session there is alive.")
            if trip.was_silent
            else _("Sam’s session at Logto had ended, so the lesson signed Sam in again."),
        ),
    )


LESSON = Lesson(
    slug="removal",
    title=_("After a removal"),
    teaser=_("You remove a colleague from your workshop, and try what still works."),
    goal=_("You can tell membership, session and grant apart, and know which of them a removal ends."),
    minutes=4,
    story=(
        _(
            "Sam is a member of your workshop and has just signed in. Logto keeps a session for Sam’s "
            "browser. Workroom keeps Sam’s refresh token: the key with which it gets new tokens for the same "
            "grant."
        ),
        _("You are going to remove Sam from your workshop. The account at Logto stays."),
    ),
    question=_("What still works for Sam afterwards?"),
    answers=(
        Answer(
            "nothing",
            _("Nothing: Sam is signed out"),
            _(
                "You removed Sam from one organization, not from Logto. Sam may belong to others, and goes "
                "on working there."
            ),
        ),
        Answer(
            "session",
            _("Sam stays signed in, but gets no token for the workshop"),
            _("The session and the grant are Sam’s own. Only the membership was yours to end."),
        ),
        Answer(
            "api",
            _("The API-resource token can still be refreshed, because its scopes are in the grant"),
            _(
                "The grant limits what a token may carry at most. Before that, Logto checks at each refresh "
                "that the person is a member."
            ),
        ),
        Answer(
            "everything",
            _("Everything, until Sam signs out"),
            _(
                "It is true of products that read the organizations of a person only at the sign-in. Logto "
                "reads them at each refresh."
            ),
        ),
    ),
    tasks=(Task(_("Remove Sam from your workshop, and confirm"), "/o/{workshop}/members/{sam}/remove"),),
    prepared=_("For this lesson, Sam is a member of your workshop again, as a viewer."),
    act_label=_("Try everything as Sam"),
    prepare=_prepare,
    act=_act,
    why=(
        _(
            "The session says that somebody is signed in at Logto. The grant says what this application may "
            "do for them. The membership says where they belong."
        ),
        _(
            "A removal ends the membership. Logto checks it whenever a token for the organization is "
            "requested, so both kinds are refused."
        ),
        _(
            "Session and grant live on. Workroom still gets a token that names no organization. It is an "
            "opaque token: a random text that only Logto understands. At its address /oidc/me, Logto says in "
            "exchange for it who has signed in: still Sam."
        ),
        _(
            "A silent round trip still works, too. To sign somebody out, you have to end their sessions and "
            "grants as well."
        ),
    ),
    code=(find_stale,),
    further=_(
        "Think of the token that stayed behind: what can Sam do with a copy of the old token at a service "
        "that trusts it alone?"
    ),
)
