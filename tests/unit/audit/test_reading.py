"""How entries of the audit log are shown and filtered."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from saas_app.audit.forms import EventFilterForm
from saas_app.audit.recorder import Action, changed_fields
from saas_app.audit.service import changes_of, steps_of
from saas_app.audit.values import EventFilter, EventRow, FieldChange
from saas_app.db.base import new_uuid
from saas_app.models import ActorType, Outcome
from saas_app.rbac.decision import Step, StepResult
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.policy import AccessFacts, decide
from saas_app.text.languages import speaking
from saas_app.text.translation import Sentence

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def row(**values: Any) -> EventRow:
    event: dict[str, Any] = {
        "id": new_uuid(),
        "occurred_at": NOW,
        "actor_type": ActorType.PERSON,
        "actor_id": "eve",
        "actor_name": "Eve",
        "action": "project.update",
        "target_type": "project",
        "target_id": "1",
        "target_name": "Apollo",
        "before": None,
        "after": None,
        "outcome": Outcome.ALLOWED,
        "decision": None,
        "request_id": "",
        "address": "",
    }
    return EventRow(**{**event, **values})


def form(**query: str) -> EventFilterForm:
    return EventFilterForm(MultiDict(query))


def test_every_action_has_a_label_of_its_own() -> None:
    assert all(action.label for action in Action)
    assert len({action.label for action in Action}) == len(Action)


def test_only_changed_fields_are_stored() -> None:
    was, is_now = {"name": "Apollo", "due_on": None}, {"name": "Apollo", "due_on": "2026-12-24"}
    assert changed_fields(was, is_now) == ({"due_on": None}, {"due_on": "2026-12-24"})
    assert changed_fields(was, was) == ({}, {})


def test_changes_are_shown_field_by_field_in_words() -> None:
    event = row(before={"name": "", "tasks": 0}, after={"name": "Apollo", "role_names": ["admin", "editor"]})
    assert changes_of(event) == (
        FieldChange("name", "Name", "empty", "Apollo"),
        FieldChange("tasks", "Tasks", "0", None),
        FieldChange("role_names", "Roles", None, "admin, editor"),
    )


def test_an_entry_without_values_shows_no_changes() -> None:
    assert changes_of(row()) == ()


def test_nested_values_are_shown_in_words() -> None:
    nested = row(after={"domains": [{"domain": "acme.example", "is_open": True}], "nothing": {}})
    assert [change.after for change in changes_of(nested)] == ["domain: acme.example, is_open: yes", "none"]


def test_steps_that_this_version_does_not_know_are_left_out() -> None:
    steps = [
        {"step": "member", "passed": True, "explanation": "Member."},
        {"step": "moonphase", "passed": False, "explanation": "Waning."},
    ]
    assert steps_of(row(decision={"steps": steps})) == (StepResult(Step.MEMBER, True, Sentence("Member.")),)
    assert steps_of(row()) == ()


DENIED = decide(
    AccessFacts("Eve", "Acme", frozenset({"viewer"}), frozenset(), frozenset(Carrier)), Permission.AUDIT_READ
)


def test_a_recorded_decision_is_shown_in_the_language_of_its_reader() -> None:
    stored = json.loads(json.dumps(DENIED.as_stored()))

    with speaking("es"):
        shown = [step.explanation.shown for step in steps_of(row(decision=stored))]
        wanted = [step.explanation.shown for step in DENIED.steps]

    assert shown == wanted
    assert wanted != [str(step.explanation) for step in DENIED.steps]


def test_an_explanation_that_was_recorded_as_plain_text_stays_english() -> None:
    with speaking("es"):
        (*_others, last) = steps_of(row(decision=DENIED.as_json()))
        assert last.explanation.shown == "The organization token does not include audit:read."


@pytest.mark.parametrize(
    "kept", [None, 7, {"message": "Welcome", "values": {}}, {"message": "%d", "values": {}}]
)
def test_the_recorded_english_wins_over_a_message_that_says_something_else(kept: object) -> None:
    stored = DENIED.as_stored()
    stored["steps"][-1]["sentence"] = kept

    assert steps_of(row(decision=stored))[-1].explanation == DENIED.decided_by.explanation


def test_programs_get_a_decision_without_what_pages_need_to_translate_it() -> None:
    assert row(decision=DENIED.as_stored()).plain_decision == DENIED.as_json()
    assert row().plain_decision is None


def test_an_empty_form_filters_nothing() -> None:
    filled = form()
    assert filled.validate()
    assert filled.as_filter() == EventFilter()
    assert filled.kept == {}


def test_every_field_of_the_form_becomes_part_of_the_filter() -> None:
    query = {
        "actor": "Eve",
        "actor_id": "eve",
        "action": "project.update",
        "outcome": "denied",
        "target": "Apollo",
        "target_id": "1",
        "since": "2026-11-01",
        "until": "2026-11-20",
    }
    filled = form(**query)
    assert filled.validate()
    assert filled.as_filter() == EventFilter(
        actor="Eve",
        actor_id="eve",
        action=Action.PROJECT_UPDATE,
        outcome=Outcome.DENIED,
        target="Apollo",
        target_id="1",
        since=datetime(2026, 11, 1, tzinfo=UTC),
        until=NOW,
    )
    assert filled.kept == query
