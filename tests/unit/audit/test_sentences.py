"""Events as sentences: every action has one, and the most telling one is chosen."""

from __future__ import annotations

from typing import Any

import pytest

from saas_app.audit.recorder import Action
from saas_app.audit.sentences import MESSAGES, sentence_of, sentence_with_marks
from saas_app.audit.values import EventRow
from saas_app.audit.words import side_of
from saas_app.models import Outcome, SsoFailure
from saas_app.single_sign_on.failures import EXPLANATIONS
from saas_app.single_sign_on.proofs import Refusal
from saas_app.text.languages import speaking
from tests.unit.audit.test_reading import DENIED, row

ADMIN, EDITOR, VIEWER = ({"roles": [name]} for name in ("admin", "editor", "viewer"))

ISOLATES = str.maketrans("", "", "\u2068\u2069")
BOTH = {"roles": ["viewer", "admin"]}
NOBODY: dict[str, list[str]] = {"roles": []}


def happened(action: Action, target: str = "Apollo", **values: Any) -> EventRow:
    return row(action=action.value, actor_name="Alice", target_name=target, **values)


@pytest.mark.parametrize("action", Action)
def test_every_action_has_a_sentence_of_its_own_for_an_event_without_values(action: Action) -> None:
    told = sentence_of(happened(action))

    assert told.startswith("Alice ")
    assert "%(" not in told
    assert told not in {sentence_of(happened(other)) for other in Action if other is not action}
    assert set(MESSAGES) == set(Action)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            happened(Action.MEMBER_CHANGE_ROLES, "Carol", before=VIEWER, after=EDITOR),
            "Alice promoted Carol from viewer to editor",
        ),
        (
            happened(Action.MEMBER_CHANGE_ROLES, "Carol", before=EDITOR, after=VIEWER),
            "Alice changed the role of Carol from editor to viewer",
        ),
        (
            happened(Action.MEMBER_CHANGE_ROLES, "Carol", before=NOBODY, after=BOTH),
            "Alice promoted Carol from no role to admin and viewer",
        ),
        (happened(Action.PROJECT_ARCHIVE), "Alice archived the project Apollo"),
        (
            happened(Action.PROJECT_UPDATE, "Zeus", before={"name": "Apollo"}, after={"name": "Zeus"}),
            "Alice renamed the project Apollo to Zeus",
        ),
        (
            happened(Action.PROJECT_UPDATE, before={"description": ""}, after={"description": "x"}),
            "Alice changed the project Apollo",
        ),
        (
            happened(Action.TASK_UPDATE, "Dig", before={"status": "todo"}, after={"status": "done"}),
            "Alice completed the task Dig",
        ),
        (
            happened(Action.TASK_UPDATE, "Dig", before={"status": "done"}, after={"status": "doing"}),
            "Alice reopened the task Dig",
        ),
        (
            happened(Action.TASK_UPDATE, "Dig", before={"status": "todo"}, after={"status": "doing"}),
            "Alice changed the task Dig",
        ),
        (
            happened(Action.TASK_CREATE, "Dig", after={"project": "Apollo", "title": "Dig"}),
            "Alice added the task Dig to Apollo",
        ),
        (
            happened(Action.MEMBER_JOIN, "Alice", after={"domain": "x.org", "provider": "Okta"}),
            "Alice joined through single sign-on with Okta",
        ),
        (
            happened(Action.MEMBER_JOIN, "Alice", after={"domain": "x.org"}),
            "Alice joined with an email address at x.org",
        ),
        (happened(Action.INVITATION_CREATE, "eve@x.org", after=ADMIN), "Alice invited eve@x.org as admin"),
        (
            happened(Action.ACCESS_DENY, "GET /audit", outcome=Outcome.DENIED, decision=DENIED.as_stored()),
            "Alice was denied: audit:read",
        ),
        (
            happened(Action.ACCESS_DENY, "GET /audit", outcome=Outcome.DENIED),
            "Alice was denied: GET /audit",
        ),
        (
            happened(Action.SSO_REFUSE, "x1", after={"reason": "no verified address"}),
            "Alice rejected a sign-in through single sign-on with x1: no verified address",
        ),
        (happened(Action.PROJECT_DELETE, outcome=Outcome.DENIED), "Alice was denied: Apollo"),
        (row(action="moon.land", actor_name="Alice"), "Alice did moon.land: Apollo"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_most_telling_sentence_is_chosen(event: EventRow, told: str) -> None:
    assert sentence_of(event) == told


@pytest.mark.parametrize(
    "odd",
    [{"roles": "admin"}, {"roles": None}, {"name": None}, {"project": 7}, {"status": []}, {"reason": []}],
)
def test_values_of_another_version_do_no_harm(odd: dict[str, Any]) -> None:
    for action in Action:
        assert sentence_of(happened(action, before=odd, after=odd)).startswith("Alice ")


REASONS = [
    *((Action.SSO_REFUSE, refusal.value) for refusal in Refusal),
    *((Action.SSO_FAIL, str(EXPLANATIONS[failure].reason)) for failure in SsoFailure),
]


@pytest.mark.parametrize(("action", "reason"), REASONS)
def test_a_sign_in_that_was_rejected_or_failed_says_why_in_the_language_of_the_reader(
    action: Action, reason: str
) -> None:
    event = happened(action, "x1", after={"reason": reason})

    with speaking("es"):
        told, field = sentence_of(event).said, side_of(event.after or {}, "reason")

    assert field is not None
    assert field not in ("", reason)
    assert told.translate(ISOLATES).endswith(f": {field}")


def test_names_are_isolated_and_escaped_where_they_are_marked() -> None:
    event = happened(Action.PROJECT_ARCHIVE, "<script>%(actor)s")

    assert sentence_with_marks(event) == (
        "<b>Alice</b> archived the project <em>&lt;script&gt;%(actor)s</em>"
    )
    assert sentence_of(happened(Action.PROJECT_ARCHIVE, "שלום")).shown.endswith("\u2068שלום\u2069")


def test_a_sentence_is_in_the_language_of_its_reader_whatever_was_recorded() -> None:
    event = happened(Action.MEMBER_CHANGE_ROLES, "Carol", before=NOBODY, after=EDITOR)

    with speaking("es"):
        assert sentence_of(event).shown == "Alice ascendió a Carol de ningún rol a editor"
        assert "<em>Carol</em>" in sentence_with_marks(event)


def test_what_an_agent_did_in_support_access_has_both_names() -> None:
    event = happened(Action.PROJECT_ARCHIVE, behalf_id="c-1", behalf_name="Carol")

    assert sentence_of(event) == "Alice (support) for Carol archived the project Apollo"
    assert "<b>Alice (support) for Carol</b>" in sentence_with_marks(event).translate(ISOLATES)
    with speaking("es"):
        assert "<b>Alice (soporte) en nombre de Carol</b>" in sentence_with_marks(event).translate(ISOLATES)


def test_the_start_of_support_access_names_the_ticket() -> None:
    event = happened(Action.SUPPORT_START, "Carol", after={"ticket": "4711", "writes": False})

    assert sentence_of(event) == "Alice started acting for Carol (ticket 4711)"
