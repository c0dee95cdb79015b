"""deploy/prometheus and deploy/grafana: valid, tested, and of metrics that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.system.service import ROOT
from tests.system.test_metrics import DOCUMENTED

FOLDER = ROOT / "deploy" / "prometheus"
DASHBOARD: dict[str, Any] = json.loads(
    (ROOT / "deploy" / "grafana" / "sealed-ocr.json").read_text("utf-8")
)
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "rules.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
METRIC = re.compile(r"\bsealed_ocr_(\w+)")
PARTS = re.compile("_(bucket|sum|count)$")


def promtool(*arguments: str | Path, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    """Run promtool in a folder."""
    return subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_configuration_is_valid() -> None:
    """The scrape configuration, and the rules that it names."""
    done = promtool("check", "config", "--syntax-only", "prometheus.yml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "rules found" in promtool("check", "rules", "rules.yml").stdout


def test_each_alert_fires_when_it_should(tmp_path: Path) -> None:
    """By promtool's own unit tests; and they fail for a rule that is wrong."""
    assert promtool("test", "rules", "tests.yml").returncode == 0
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    rules = (FOLDER / "rules.yml").read_text("utf-8")
    (tmp_path / "rules.yml").write_text(rules.replace(" == 0\n", " == 2\n"), "utf-8")
    assert promtool("test", "rules", "tests.yml", folder=tmp_path).returncode == 1


def test_each_alert_has_a_test() -> None:
    """One that fires."""
    tests = yaml.safe_load((FOLDER / "tests.yml").read_text("utf-8"))["tests"]
    fired = {
        each["alertname"]
        for test in tests
        for each in test["alert_rule_test"]
        if each["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in RULES}


def test_each_alert_is_documented() -> None:
    """With its severity."""
    page = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    listed = re.findall(r"^\| `(SealedOcr\w+)` \| (\w+) \|", page, re.MULTILINE)
    assert listed == [(rule["alert"], rule["labels"]["severity"]) for rule in RULES]


def expressions() -> Iterator[str]:
    """Yield what the alerts and the panels ask for."""
    yield from (rule["expr"] for rule in RULES)
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (
        each["query"]["query"]
        for each in DASHBOARD["templating"]["list"]
        if each["type"] == "query"
    )


def unknown(expression: str) -> set[str]:
    """Return the names of metrics that the service does not have."""
    return {PARTS.sub("", name) for name in METRIC.findall(expression)} - DOCUMENTED


def test_every_metric_exists() -> None:
    """In docs/monitoring.md, which another test compares with what the service gives."""
    asked = list(expressions())
    assert len(asked) > len(RULES)
    assert {name for each in asked for name in unknown(each)} == set()


def test_a_metric_that_does_not_exist_is_found() -> None:
    """Negative control."""
    assert unknown("rate(sealed_ocr_pages_total[5m]) / sealed_ocr_page_total") == {"page_total"}


def test_the_dashboard_can_be_imported() -> None:
    """Panels have titles, units and places of their own; nothing names another machine."""
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    assert len({panel["title"] for panel in panels}) == len(panels)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in panels:
        assert panel["description"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["fieldConfig"]["defaults"]["unit"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
    assert "http" not in json.dumps(DASHBOARD)
