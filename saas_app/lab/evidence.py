"""What a lesson saw: tokens, exchanges, requests and decisions, as JSON without secrets.

Pages show them side by side. A token stands here as its header and its claims. Its signature is not stored,
so nothing here opens anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from saas_app.identity.claims import decode_header, decode_unverified
from saas_app.identity.wire import Exchange, phrase_of
from saas_app.lab.token_fields import Field, Part, claim_fields, header_fields
from saas_app.rbac.decision import Decision, Step, StepResult
from saas_app.rbac.permissions import known_permissions
from saas_app.text.translation import Sentence


@dataclass(frozen=True, slots=True)
class TokenShown:
    """The header and the claims of a token. Both are empty for an opaque token, which says nothing."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @classmethod
    def of(cls, token: str) -> Self:
        """Return what a token says. Its signature is not checked here."""
        return cls(decode_header(token), decode_unverified(token))

    def as_json(self) -> dict[str, Any]:
        """Return the token as JSON, for storage."""
        return {"header": dict(self.header), "claims": dict(self.claims)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the token that :meth:`as_json` stored."""
        return cls(stored["header"], stored["claims"])

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of an access token."""
        return frozenset(str(self.claims.get("scope") or "").split())

    @property
    def is_opaque(self) -> bool:
        """Whether the token says nothing, so that only Logto can read it."""
        return not self.header and not self.claims

    @property
    def header_fields(self) -> tuple[Field, ...]:
        """The fields of the header, for a page."""
        return header_fields(self.header)

    @property
    def claim_fields(self) -> tuple[Field, ...]:
        """The claims, for a page."""
        return claim_fields(self.claims)


@dataclass(frozen=True, slots=True)
class Side:
    """One of two tokens that a page shows side by side. ``token`` is None where Logto refused one."""

    title: Sentence
    token: TokenShown | None

    @property
    def is_readable(self) -> bool:
        """Whether there is a token, and it says something."""
        return self.token is not None and not self.token.is_opaque

    @property
    def header(self) -> Part:
        """The header, or None without a readable token."""
        return self.token.header if self.token is not None and self.is_readable else None

    @property
    def claims(self) -> Part:
        """The claims, or None without a readable token."""
        return self.token.claims if self.token is not None and self.is_readable else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two tokens side by side: before and after a change, or of two organizations."""

    left: Side
    right: Side
    is_change: bool = False

    @property
    def changed(self) -> frozenset[str]:
        """The claims that differ, by name."""
        left, right = (dict(side.token.claims) if side.token else {} for side in (self.left, self.right))
        return frozenset(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))

    @property
    def is_readable(self) -> bool:
        """Whether both tokens can be read, so that they can be compared."""
        return self.left.is_readable and self.right.is_readable

    @property
    def header_fields(self) -> tuple[Field, ...]:
        """The fields of both headers, aligned by name, for a page."""
        return header_fields(self.left.header, self.right.header)

    @property
    def claim_fields(self) -> tuple[Field, ...]:
        """The claims of both tokens, aligned by name, for a page."""
        return claim_fields(self.left.claims, self.right.claims)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request with a bearer token, mostly to the JSON API of Workroom, and its response.

    ``token`` says which token it was. ``answer`` is the JSON of the response. ``path`` is the whole address
    for another API. ``title`` tells requests apart that look the same. ``body`` is the JSON that was sent.
    """

    method: str
    path: str
    token: Sentence
    status: int
    answer: Any
    title: Sentence | None = None
    body: Any = None

    @property
    def reason(self) -> str:
        """Why the API refused, in its own words (RFC 9457), or "" if it did not."""
        return str(self.answer.get("detail") or "") if isinstance(self.answer, Mapping) else ""

    @property
    def phrase(self) -> str:
        """What the status is called in the protocol."""
        return phrase_of(self.status)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to Logto's token endpoint and its response. ``title`` says what was asked for."""

    title: Sentence
    exchange: Exchange

    @property
    def refusal(self) -> str:
        """Logto's reason in its own words, or "" if it did not refuse."""
        answer = self.exchange.answer
        return str(answer.get("error_description") or answer.get("error") or "")


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of the policy, and what it was about."""

    title: Sentence
    decision: Decision


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a lesson saw, and the answer that follows from it. Learners predicted one of the answers.

    ``remarks`` say what a learner should know about this run, for example that a token was refreshed by
    another tab meanwhile.
    """

    answer: str
    comparisons: tuple[Comparison, ...] = ()
    exchanges: tuple[Asked, ...] = ()
    requests: tuple[ApiRequest, ...] = ()
    decisions: tuple[Decided, ...] = ()
    remarks: tuple[Sentence, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the evidence as JSON, to store it for readers of any language."""
        return {
            "answer": self.answer,
            "comparisons": [[_side(one.left), _side(one.right), one.is_change] for one in self.comparisons],
            "exchanges": [{"title": one.title.as_json(), **one.exchange.as_json()} for one in self.exchanges],
            "requests": [
                {
                    "method": one.method,
                    "path": one.path,
                    "token": one.token.as_json(),
                    "status": one.status,
                    "answer": one.answer,
                    "title": one.title and one.title.as_json(),
                    "body": one.body,
                }
                for one in self.requests
            ],
            "decisions": [
                {"title": one.title.as_json(), **one.decision.as_stored()} for one in self.decisions
            ],
            "remarks": [remark.as_json() for remark in self.remarks],
        }

    @classmethod
    def find(cls, stored: Mapping[str, Any] | None) -> Self | None:
        """Return stored evidence, or None if there is none, or another version stored it in another form."""
        try:
            return None if stored is None else cls.from_json(stored)
        except (KeyError, TypeError, ValueError):
            return None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the evidence that :meth:`as_json` stored."""
        return cls(
            answer=stored["answer"],
            comparisons=tuple(
                Comparison(_read_side(left), _read_side(right), is_change)
                for left, right, is_change in stored["comparisons"]
            ),
            exchanges=tuple(
                Asked(Sentence.from_json(entry["title"]), Exchange.from_json(entry))
                for entry in stored["exchanges"]
            ),
            requests=tuple(_read_request(entry) for entry in stored["requests"]),
            decisions=tuple(
                Decided(Sentence.from_json(entry["title"]), _read_decision(entry))
                for entry in stored["decisions"]
            ),
            remarks=tuple(Sentence.from_json(remark) for remark in stored["remarks"]),
        )


def _read_request(stored: Mapping[str, Any]) -> ApiRequest:
    title = stored["title"]
    return ApiRequest(
        stored["method"],
        stored["path"],
        Sentence.from_json(stored["token"]),
        stored["status"],
        stored["answer"],
        title=Sentence.from_json(title) if title else None,
        body=stored["body"],
    )


def _side(side: Side) -> dict[str, Any]:
    return {"title": side.title.as_json(), "token": side.token and side.token.as_json()}


def _read_side(stored: Mapping[str, Any]) -> Side:
    token = stored["token"]
    shown = None if token is None else TokenShown.from_json(token)
    return Side(Sentence.from_json(stored["title"]), shown)


def _read_decision(stored: Mapping[str, Any]) -> Decision:
    steps = tuple(
        StepResult(Step(step["step"]), step["passed"], Sentence.from_json(step["sentence"]))
        for step in stored["steps"]
    )
    named = known_permissions(frozenset({str(stored["permission"])}))
    return Decision(stored["allowed"], steps, next(iter(named), None))
