"""The token workbench: the caller's own tokens for one organization or two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue

from saas_app.errors import NotFound
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.profiles import Membership
from saas_app.lab import timeline, workbench
from saas_app.lab.bench import Bench
from saas_app.lab.pages.learners import learner
from saas_app.lab.workbench import Grants, Preview, Workbench
from saas_app.organizations.service import search_memberships
from saas_app.rbac.assignment import PERSON_ROLES
from saas_app.rbac.permissions import Carrier
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated
from saas_app.web.context import reader_language, runtime
from saas_app.web.limits import counts_as_change
from saas_app.web.notices import notify
from saas_app.web.templating import render
from saas_app.web.visitors import find_last_organization_id

blueprint = Blueprint("lab_tokens", __name__, url_prefix="/lab/tokens")

_FEW: Final = 30  # organizations that fit into a select; more are searched
_FOUND: Final = 20
_QUERY_LENGTH: Final = 128
_NO_ROLE: Final = "none"
_ROLES: Final = {role.value: role for role in PERSON_ROLES}
_OF_PERSON: Final = "id"
_CARRIERS: Final = {"organization": Carrier.ORGANIZATION_TOKEN, "api": Carrier.API_TOKEN}


@dataclass(frozen=True, slots=True)
class Raw:
    """A token itself, for its owner. ``opens``: an API accepts it."""

    label: Sentence
    opens: bool
    header: str
    claims: str
    signature: str

    @classmethod
    def of(cls, label: Sentence, token: str, *, opens: bool) -> Raw:
        """Split a token into its three parts."""
        header, claims, signature = token.split(".")
        return cls(label, opens, header, claims, signature)


@blueprint.get("")
@learner
async def show(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show the tokens of ``left`` and ``right``. Fetches only those that are missing."""
    mine = await _memberships(principal)
    chosen = await _chosen(mine, request.args.get("left", ""), request.args.get("right", ""))
    return await _page(principal, mine, chosen)


@blueprint.post("/raw")
@learner
@counts_as_change
async def show_raw(principal: SessionPrincipal) -> ResponseReturnValue:
    """Show one token itself. It is in no address, no log and no cache, and only its owner can ask for it."""
    form = await request.form
    mine = await _memberships(principal)
    chosen = await _chosen(mine, form.get("left", ""), form.get("right", ""))
    raw = await _raw(principal, chosen, form.get("token", ""))
    return await _page(principal, mine, chosen, raw)


@blueprint.post("/refresh")
@learner
@counts_as_change
async def refresh(principal: SessionPrincipal) -> ResponseReturnValue:
    """Delete the cached tokens of these organizations. The page fetches new ones from Logto."""
    form = await request.form
    chosen = await _chosen(await _memberships(principal), form.get("left", ""), form.get("right", ""))
    for membership in chosen:
        await runtime().session_tokens.forget_tokens(principal.session_id, membership.organization_id)
    await notify(_("The tokens were fetched again."))
    return redirect(_path_of(chosen), 303)


async def _page(
    principal: SessionPrincipal, mine: list[Membership], chosen: list[Membership], raw: Raw | None = None
) -> str:
    bench = await _workbench().read(principal, chosen)
    searched = request.args.get("q", "").strip()[:_QUERY_LENGTH]
    is_few = len(mine) <= _FEW
    found = search_memberships(mine, "" if is_few else searched, reader_language())
    return render(
        "lab/tokens.html",
        bench=bench,
        carriers=tuple(_CARRIERS.items()),
        chosen=chosen,
        here=_path_of(chosen),
        total=len(mine),
        choices=found if is_few else None,
        searched=searched,
        found=found[:_FOUND],
        more=max(0, len(found) - _FOUND),
        roles=PERSON_ROLES,
        preview=await _preview(principal, bench),
        timeline=await timeline.read_timeline(runtime().work, runtime().sessions, principal, bench),
        raw=raw,
    )


async def _preview(principal: SessionPrincipal, bench: Bench) -> Preview | None:
    """Return the preview that the query asks for, if it names a role and an organization on the bench."""
    wanted = request.args.get("role", "")
    column = next((one for one in bench.columns if one.id == request.args.get("in")), None)
    if column is None or (wanted != _NO_ROLE and wanted not in _ROLES):
        return None
    settings = runtime().settings
    grants = Grants(
        runtime().management, runtime().sessions, settings.logto_app_id, runtime().freshness.api_resource
    )
    return await workbench.preview(grants, principal, bench, column, _ROLES.get(wanted))


async def _raw(principal: SessionPrincipal, chosen: list[Membership], wanted: str) -> Raw:
    """Return the token that the form names. Raises :class:`NotFound` if there is none, and
    :class:`SsoRequired`.
    """
    inspector, (side, _separator, kind) = runtime().inspector, wanted.partition("-")
    if wanted == _OF_PERSON:
        label, token = _("ID token"), await inspector.find_raw_id_token(principal.session_id)
    else:
        place = ("left", "right").index(side) if side in ("left", "right") else len(chosen)
        if place >= len(chosen) or kind not in _CARRIERS:
            raise NotFound(_("Choose one of the tokens on the page."))
        carrier, membership = _CARRIERS[kind], chosen[place]
        await _workbench().require_single_sign_on(principal, membership)
        label = _(
            "%(token)s for %(organization)s",
            token=carrier.label,
            organization=isolated(membership.organization_name),
        )
        token = await inspector.find_raw_token(principal.session_id, membership.organization_id, carrier)
    if token is None:
        raise NotFound(_("This token has expired meanwhile. Go back, and the page fetches a new one."))
    return Raw.of(label, token, opens=wanted != _OF_PERSON)


async def _memberships(principal: SessionPrincipal) -> list[Membership]:
    profiles = runtime().profiles
    return await profiles.list_memberships(principal, await profiles.get_claims(principal))


async def _chosen(mine: list[Membership], left: str, right: str) -> list[Membership]:
    """Return the organizations on the bench: those that are named, else the one that was used last.

    Raises :class:`NotFound` for an organization that the person does not belong to.
    """
    by_id = {membership.organization_id: membership for membership in mine}
    if not left:
        last = await find_last_organization_id()
        by_name = search_memberships(mine, "", reader_language())
        left = last if last in by_id else by_name[0].organization_id if by_name else ""
    ids = [one for one in dict.fromkeys((left, right)) if one]
    if not by_id.keys() >= set(ids):
        raise NotFound(_("This organization does not exist, or you are not a member."))
    return [by_id[one] for one in ids]


def _path_of(chosen: list[Membership]) -> str:
    sides = zip(("left", "right"), chosen, strict=False)
    return f"/lab/tokens?{urlencode({side: one.organization_id for side, one in sides})}"


def _workbench() -> Workbench:
    services = runtime()
    return Workbench(services.sessions, services.tenants, services.inspector, services.freshness)
