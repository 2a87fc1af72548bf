"""A genuine token for somebody else is accepted."""

from __future__ import annotations

from saas_app.lab.practice.declaration import Break, Check, Fix, Trial
from saas_app.lab.practice.values import Attempt, TokenChoice
from saas_app.text.translation import _


async def _own_token_reads(trial: Trial) -> bool:
    reply = await trial.send("GET", "/reports", TokenChoice.WORKSHOP)
    return all(report.canary in reply.text for report in trial.workshop)


async def _each_reads_its_own(trial: Trial) -> bool:
    reply = await trial.send("GET", "/reports", TokenChoice.STUDIO)
    return all(report.canary in reply.text for report in trial.studio) and not any(
        report.canary in reply.text for report in trial.workshop
    )


async def _token_for_elsewhere_is_refused(trial: Trial) -> bool:
    return (await trial.send("GET", "/reports", TokenChoice.ELSEWHERE)).status == 401


async def _no_token_is_refused(trial: Trial) -> bool:
    return (await trial.send("GET", "/reports", TokenChoice.NOTHING)).status == 401


BREAK = Break(
    slug="audience-unchecked",
    title=_("A genuine token for somebody else"),
    goal=_("You know what the audience of a token protects from."),
    minutes=5,
    should=(
        _(
            "“GET /reports” lists the reports of the organization in the token. Every member may read them, "
            "so the service asks for no permission."
        ),
        _(
            "It checks the signature, the issuer and the expiry of every token. Rosa also uses a calendar "
            "service, which you run. To show her calendar, she sent it her organization token."
        ),
    ),
    task=_("As the operator of the calendar service, read the reports of Rosa’s studio."),
    hint=_("You hold a genuine token that was not issued for this service. Does this service notice?"),
    tokens=(TokenChoice.WORKSHOP, TokenChoice.STUDIO, TokenChoice.ELSEWHERE, TokenChoice.NOTHING),
    start=Attempt("GET", "/reports", TokenChoice.WORKSHOP),
    fixes=(
        Fix("audience_of_this_service", _("Accept tokens only if their audience is this service")),
        Fix("any_audience_with_a_client", _("Accept only complete access tokens that name their client")),
        Fix("audience_of_our_own_product", _("Accept every audience of our own product")),
    ),
    checks=(
        Check(
            _("A token for this service still reads its organization’s reports"),
            _("The fix refuses the right token."),
            _own_token_reads,
        ),
        Check(
            _("Each token reads the reports of its own organization"),
            _("The fix mixes up organizations."),
            _each_reads_its_own,
        ),
        Check(
            _("A token for another service is refused with 401"),
            _(
                "The token that Rosa sent elsewhere still opens her reports here. Every service that "
                "receives it can use it."
            ),
            _token_for_elsewhere_is_refused,
        ),
        Check(
            _("A request without a token is refused with 401"),
            _("The service answers callers who prove nothing."),
            _no_token_is_refused,
        ),
    ),
    lesson=_(
        "A signature says who issued a token. The audience, aud, says for whom. A service that accepts "
        "tokens for others trusts everybody who ever received one. So the audience is compared first, with "
        "exactly one value: your own."
    ),
    owasp="API2:2023 Broken Authentication",
    weaknesses=(
        (345, "Insufficient Verification of Data Authenticity"),
        (287, "Improper Authentication"),
    ),
    incident=_(
        "Researchers have found apps again and again that sign people in with any genuine token of a social "
        "network, even one that was issued for another app, whose operator can then sign in as its users."
    ),
)
