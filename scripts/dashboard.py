"""Draw the Grafana dashboard with the data of a Prometheus, as docs/monitoring.md shows it.

`python scripts/dashboard.py --prometheus http://localhost:9090 --minutes 6`
"""

import argparse
import json
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.panels import Series, draw_dashboard

STEPS = 90


def fetched(prometheus: str, expression: str, end: float, seconds: float) -> list[Series]:
    """Return what Prometheus answers for the `seconds` before `end`."""
    step = seconds / STEPS
    query = expression.replace('"$instance"', '".*"').replace("$__rate_interval", "30s")
    values = {
        "query": query.replace("[5m]", "[1m]"),
        "start": end - seconds,
        "end": end,
        "step": step,
    }
    url = f"{prometheus}/api/v1/query_range?{urllib.parse.urlencode(values)}"
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the operator's own
        found = json.load(answer)["data"]["result"]
    return [
        (each["metric"], [(float(at), float(value)) for at, value in each["values"]])
        for each in found
    ]


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(prog="dashboard", description=__doc__)
    parser.add_argument("--prometheus", default="http://localhost:9090")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--end", type=float, default=time.time(), help="Unix time; default: now")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "dashboard.svg")
    arguments = parser.parse_args()
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "sealed-ocr.json").read_text("utf-8"))
    drawing = draw_dashboard(
        dashboard,
        lambda expression: fetched(
            arguments.prometheus, expression, arguments.end, arguments.minutes * 60
        ),
        "The dashboard of a service under load",
    )
    arguments.out.write_text(drawing.render(), "utf-8")
    print(arguments.out)


if __name__ == "__main__":
    main()
