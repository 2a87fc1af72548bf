"""The dashboard, the alerts and the runbooks agree with each other and with what the application exposes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import CollectorRegistry

from saas_app.telemetry.instruments import Instruments
from saas_app.telemetry.job_file import write_reconcile_result
from tests.databases import ROOT, Database
from tests.processes import Provider, free_port, running_application
from tests.scraping import Scrape, scrape

pytestmark = pytest.mark.one_database

DASHBOARD: Final = ROOT / "deploy/observability/grafana-dashboard.json"
ALERTS: Final = ROOT / "deploy/observability/alerts.yml"
RUNBOOKS: Final = ROOT / "docs/runbooks"
_SAMPLES: Final = re.compile(r"_(?:bucket|count|sum|created)$")


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries_of_the_dashboard() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def named_in(texts: list[str]) -> set[str]:
    return {name for text in texts for name in re.findall(r"\bworkroom_\w+", text)}


def families(names: set[str]) -> set[str]:
    return {_SAMPLES.sub("", name) for name in names}


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    names = [rule["alert"] for rule in alerts()]
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")

    assert set(names) == pages
    assert [rule["annotations"]["runbook"] for rule in alerts()] == [
        f"docs/runbooks/{name}.md" for name in names
    ]
    assert re.findall(r"^\| \[(\w+)\]", index, re.MULTILINE) == names


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("[A-Z]*[a-z].md")), ids=lambda path: path.stem)
def test_a_runbook_says_what_it_means_what_people_see_what_to_check_and_what_to_do(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parts = re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)

    assert text.startswith(f"# {page.stem}\n")
    assert parts == ["What it means.", "What people see.", "Check", "Do"]
    assert "`" in text.split("**Check**")[1]


def test_the_dashboard_is_well_formed() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    charts = [panel for panel in dashboard["panels"] if panel["type"] != "row"]

    assert dashboard["title"]
    assert dashboard["uid"]
    assert len(ids) == len(set(ids))
    for panel in charts:
        assert panel["title"], panel
        assert panel["description"], panel["title"]
        assert panel["targets"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(places) == len(set(places))


def test_every_metric_is_in_the_dashboard_and_in_the_table_of_the_guide() -> None:
    own = CollectorRegistry()
    Instruments(own)
    declared = {
        f"{family.name}_total" if family.type == "counter" else family.name for family in own.collect()
    }
    guide = (ROOT / "docs/operations.md").read_text(encoding="utf-8").split("## Observability")[1]

    assert declared - families(named_in(list(queries_of_the_dashboard()))) == set()
    assert declared - named_in(re.findall(r"^\| `.*", guide, re.MULTILINE)) == set()


async def test_the_dashboard_and_the_alerts_name_only_metrics_that_are_exposed(
    provider: Provider, database: Database, tmp_path: Path
) -> None:
    file, port = tmp_path / "reconcile.prom", free_port()
    write_reconcile_result(file, repaired=0, failed=0)
    with running_application(provider, database, tmp_path, METRICS_PORT=str(port)):
        seen = await scrape(port)
    families_seen = (*seen.families, *Scrape.of(file.read_text(encoding="utf-8")).families)
    exposed = {f"{it.name}_total" if it.type == "counter" else it.name for it in families_seen}

    named = named_in([*queries_of_the_dashboard(), *(rule["expr"] for rule in alerts())])
    assert len(named) > 15
    assert families(named) - exposed == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (prometheus)")
def test_prometheus_accepts_the_alerts() -> None:
    checked = subprocess.run(
        ["promtool", "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
