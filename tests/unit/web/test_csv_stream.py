"""CSV exports of every feature: harmless cells, file names and times."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from saas_app.web.csv_stream import filename, moment_cell, neutral


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("  =1", "  '=1"),
        ("＝1", "'＝1"),
        ("＠x", "'＠x"),
        ('=HYPERLINK("https://evil")', """'=HYPERLINK("https://evil")"""),
        ("x;=1", "x;'=1"),
        ("x, -1", "x, '-1"),
        ("x\t+1", "x\t'+1"),
        ('x;"=1', """x;"'=1"""),
        ("x;\ty", "x;'\ty"),
        ("Steps:\n- one", "Steps:\n'- one"),
    ],
)
def test_a_text_that_looks_like_a_formula_is_neutralized(text: str, expected: str) -> None:
    assert neutral(text) == expected


@pytest.mark.parametrize("text", ["", "Apollo", "1-2", "a=b", "'quoted'", "Ümlaut", "  in", "one\n\ntwo; 3"])
def test_other_text_is_unchanged(text: str) -> None:
    assert neutral(text) == text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Acme Robotics", "acme-robotics-projects-2026-11-21.csv"),
        ("Zoë & Söhne", "zoe-sohne-projects-2026-11-21.csv"),
        ('../"evil"\r\nX: y', "evil-x-y-projects-2026-11-21.csv"),
        ("株式会社", "org-1-projects-2026-11-21.csv"),
        ("x" * 100, f"{'x' * 60}-projects-2026-11-21.csv"),
    ],
)
def test_the_file_is_named_after_the_organization_and_the_day(name: str, expected: str) -> None:
    assert filename(name, "org_1", "projects", date(2026, 11, 21)) == expected


def test_times_are_exported_in_utc() -> None:
    noon_in_cairo = datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=2)))
    assert moment_cell(noon_in_cairo) == "2026-11-21 10:00:00"


def test_a_missing_time_is_an_empty_cell() -> None:
    assert moment_cell(None) == ""
