"""Lesson 3: a token counts only where it was issued for, whatever it carries."""

from __future__ import annotations

from saas_app.identity.bearer import VerifiedTokens
from saas_app.lab.evidence import Asked, Comparison, Decided, Evidence, Side
from saas_app.lab.lesson import Answer, Before, Lesson
from saas_app.lab.stage import Stage
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.policy import decide
from saas_app.text.translation import _


async def _prepare(stage: Stage) -> Before:
    """Nothing has to be arranged: you are an admin of the workshop."""
    return {}


async def _act(stage: Stage, before: Before) -> Evidence:
    """Send both of your tokens to the list of members, and the organization token to the projects."""
    api = await stage.fetch_own(stage.workshop)
    organization = await stage.learner.fetch(stage.workshop, Carrier.ORGANIZATION_TOKEN)
    root, name = f"/api/v1/organizations/{stage.workshop.id}", stage.learner.principal.display_name
    labels = {Carrier.API_TOKEN: _("API-resource token"), Carrier.ORGANIZATION_TOKEN: _("Organization token")}
    tokens = {
        Carrier.API_TOKEN: api.get_token(),
        Carrier.ORGANIZATION_TOKEN: organization.get_token(),
    }
    requests = [
        await stage.call(f"{root}/{path}", tokens[carrier], labels[carrier])
        for path, carrier in (
            ("members", Carrier.API_TOKEN),
            ("members", Carrier.ORGANIZATION_TOKEN),
            ("projects", Carrier.ORGANIZATION_TOKEN),
        )
    ]
    wrong, right = (
        decide(stage.facts(name, stage.workshop, fetched, carrier, is_bearer=True), Permission.MEMBERS_READ)
        for fetched, carrier in ((api, Carrier.API_TOKEN), (organization, Carrier.ORGANIZATION_TOKEN))
    )
    return Evidence(
        str(requests[0].status),
        comparisons=(
            Comparison(
                Side(labels[Carrier.API_TOKEN], api.shown),
                Side(labels[Carrier.ORGANIZATION_TOKEN], organization.shown),
            ),
        ),
        exchanges=(
            Asked(labels[Carrier.API_TOKEN], api.exchange),
            Asked(labels[Carrier.ORGANIZATION_TOKEN], organization.exchange),
        ),
        requests=tuple(requests),
        decisions=(
            Decided(_("Members, with the API-resource token"), wrong),
            Decided(_("Members, with the organization token"), right),
        ),
    )


LESSON = Lesson(
    slug="audience-first",
    title=_("Two kinds of token"),
    teaser=_("You send both of your tokens to the list of members."),
    goal=_("You know that a token is first asked whom it is for, and only then what it allows."),
    minutes=3,
    story=(
        _(
            "You are an admin of your workshop. Logto gives you two tokens for it. The organization token is "
            "for running the organization, such as its members. The API-resource token is for the product "
            "itself, such as projects."
        ),
        _("The claim aud, the audience, says whom a token is for."),
    ),
    question=_(
        "You send your API-resource token to the list of members, which needs the permission members:read. "
        "Which status comes back?"
    ),
    answers=(
        Answer(
            "200",
            _("200 OK: I am an admin, and admins may see the members"),
            _(
                "You are an admin, but the API sees only the token that you sent. This one says nothing "
                "about members."
            ),
        ),
        Answer(
            "401",
            _("401 Unauthorized: the token is not valid there"),
            _(
                "A tempting answer: a service with one audience would say 401. Workroom’s API has two, so it "
                "knows this token and its sender. It is only the wrong one for this list."
            ),
        ),
        Answer(
            "403",
            _("403 Forbidden: the token is genuine, but of the wrong kind"),
            _(
                "members:read travels only in organization tokens. Workroom stops at the audience and does "
                "not even look at the permissions."
            ),
        ),
    ),
    act_label=_("Send both tokens to the list of members"),
    prepare=_prepare,
    act=_act,
    why=(
        _(
            "A token is a letter to one recipient, and aud is the address on it. A recipient rejects letters "
            "to others, even if the signature is genuine."
        ),
        _(
            "May Workroom have two addresses? Yes, because each list accepts exactly one of them. Which one "
            "follows from the permission: members:read counts only in a token for the organization, "
            "projects:read only in a token for the API. The other one gets 403 in both directions."
        ),
        _(
            "Without this check, everybody to whom you ever sent a token could use it at every other service "
            "of yours."
        ),
    ),
    code=(decide, VerifiedTokens._audience_of),
    further=_("Open “My access” in your workshop. It shows which token carries which permission."),
)
