"""The choice of how long something lasts: what forms send, and in which time zone it is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from quart import Quart

from saas_app.errors import Invalid
from saas_app.text.languages import speaking
from saas_app.web import durations, reader
from saas_app.web.durations import Duration, DurationField, duration_field, end_fields, read_end

NOW = datetime(2026, 11, 21, 12, 35, 7, tzinfo=UTC)
WITHIN = (timedelta(minutes=5), timedelta(days=365))
app = Quart(__name__)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be NOW."""
    monkeypatch.setattr(durations, "utc_now", lambda: NOW)


@pytest.fixture
async def in_madrid() -> None:
    """Read as somebody in Madrid, one hour ahead of UTC in winter."""
    async with app.test_request_context("/", headers={"Cookie": "workroom_zone=Europe/Madrid"}) as context:
        reader.begin_reading(context.request)


def field(**values: object) -> DurationField:
    """Return the choice as a template shows it, with an end after one day chosen."""
    return duration_field(tuple(Duration), Duration.DAY, within=WITHIN, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("duration", "end"),
    [
        ("none", None),
        ("hour", datetime(2026, 11, 21, 13, 36, tzinfo=UTC)),
        ("day", datetime(2026, 11, 22, 12, 36, tzinfo=UTC)),
        ("week", datetime(2026, 11, 28, 12, 36, tzinfo=UTC)),
    ],
)
def test_a_length_ends_at_the_next_full_minute(duration: str, end: datetime | None) -> None:
    assert read_end({"duration": duration}) == end


@pytest.mark.usefixtures("in_madrid")
@pytest.mark.parametrize(
    ("typed", "end"),
    [
        ("2026-12-03T14:30", datetime(2026, 12, 3, 13, 30, tzinfo=UTC)),
        ("2027-07-01T14:30", datetime(2027, 7, 1, 12, 30, tzinfo=UTC)),
        ("2026-12-03T14:30:15", datetime(2026, 12, 3, 13, 30, 15, tzinfo=UTC)),
        ("2026-12-03T14:30:00+00:00", datetime(2026, 12, 3, 14, 30, tzinfo=UTC)),
        ("2027-10-31T02:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ],
    ids=["winter", "summer", "seconds", "an offset of its own", "the first of two"],
)
def test_a_typed_date_is_in_the_readers_time_zone(typed: str, end: datetime) -> None:
    assert read_end({"duration": "date", "until": typed}) == end


def test_without_a_known_time_zone_a_date_is_in_utc() -> None:
    assert read_end({"duration": "date", "until": "2026-12-03T14:30"}) == datetime(
        2026, 12, 3, 14, 30, tzinfo=UTC
    )


@pytest.mark.usefixtures("in_madrid")
@pytest.mark.parametrize(
    "typed",
    [
        "",
        "tomorrow",
        "2026-12-03",
        "2026-02-30T10:00",
        "2026-W50-1",
        "0001-01-01T00:00+14:00",
        "2026-12-03T25:00",
    ],
)
def test_what_is_not_a_date_and_a_time_is_rejected_at_its_field(typed: str) -> None:
    with pytest.raises(Invalid) as error:
        read_end({"duration": "date", "until": typed})
    assert "until" in error.value.fields


@pytest.mark.parametrize("form", [{}, {"duration": ""}, {"duration": "forever"}])
def test_a_choice_that_is_missing_or_unknown_is_rejected(form: dict[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        read_end(form)
    assert error.value.fields == {"until": "Choose how long."}


def test_a_form_without_the_choice_gets_the_default() -> None:
    assert read_end({}, Duration.NO_END) is None


@pytest.mark.usefixtures("in_madrid")
@pytest.mark.parametrize("end", [None, datetime(2026, 12, 3, 13, 30, 15, tzinfo=UTC)])
def test_hidden_fields_choose_the_same_end_in_any_zone(end: datetime | None) -> None:
    assert read_end(dict(end_fields(end))) == end


@pytest.mark.usefixtures("in_madrid")
def test_the_choice_is_shown_in_the_readers_time_zone() -> None:
    shown = field()
    assert shown.chosen is Duration.DAY
    assert shown.until == "2026-11-22T13:36"
    assert shown.earliest == "2026-11-21T13:41"
    assert shown.latest == "2027-11-21T13:35"
    assert shown.zone == "Europe/Madrid"


@pytest.mark.usefixtures("in_madrid")
def test_a_form_that_is_shown_again_keeps_what_was_typed() -> None:
    shown = field(typed={"duration": "date", "until": "2026-12-03T14:30"}, problem="Too late.")
    assert (shown.chosen, shown.until, shown.problem) == (Duration.DATE, "2026-12-03T14:30", "Too late.")


def test_a_form_with_an_unknown_choice_is_shown_with_the_default() -> None:
    shown = field(typed={"duration": "forever", "until": "soon"})
    assert (shown.chosen, shown.until) == (Duration.DAY, "2026-11-22T12:36")


@pytest.mark.usefixtures("in_madrid")
@pytest.mark.parametrize("until", ["9999-12-31T23:59Z", "0001-01-01T00:00Z"])
def test_a_moment_that_the_readers_calendar_does_not_have_is_rejected_and_not_shown_again(until: str) -> None:
    form = {"duration": "date", "until": until}

    with pytest.raises(Invalid) as error:
        read_end(form)

    assert "until" in error.value.fields
    assert field(typed=form).until == "2026-11-22T13:36"


def test_labels_have_the_readers_language() -> None:
    with speaking("es"):
        assert [duration.label.said for duration in Duration] == [
            "Sin fin",
            "1 hora",
            "1 día",
            "7 días",
            "Hasta una fecha",
        ]
