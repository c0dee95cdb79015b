"""The real service's log on a terminal."""

import json
import re
from collections.abc import Callable

import pytest

from tests.system.service import Service

Start = Callable[..., Service]


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_gets_lines_to_read(start: Start, no_color: str) -> None:
    """One for each request, one for each event; an error of the service's own is red."""
    handler = {"broken.py": "async def fail(request):\n    raise ValueError('hunter2')\n"}
    function = '[[functions]]\npath = "/fail"\nhandler = "broken:fail"\nscope = "ocr"\n'
    options = {"environment": {"NO_COLOR": no_color}, "modules": handler, "local": function}
    with start(terminal=True, **options) as service, service.client() as client:
        client.get("/healthz")
        client.post("/ocr", headers={"x-api-key": "wrong"})
        client.post("/fail")
        health, refused, failed = map(service.logged, ("/healthz", " 401 ", " 500 "))
    time = r"\d\d:\d\d:\d\d  "
    assert re.fullmatch(time + r"-            GET  /healthz 200 \d+ ms", health)
    assert re.match(time + r"-            POST /ocr 401 \d+ ms not_authenticated \(", refused)
    red, plain = ("", "") if no_color else (r"\x1b\[31m", r"\x1b\[0m")
    wanted = red + time + r"development  POST /fail 500 \d+ ms internal_error .*ValueError.*"
    assert re.fullmatch(wanted + plain, failed)
    assert any(re.match(time + "tls: profile intermediate, ", line) for line in service.log)
    assert not any("{" in line or "hunter2" in line for line in service.log)


def test_a_terminal_gets_json_where_that_is_set(start: Start) -> None:
    """[log] format = "json"."""
    local = '[log]\nformat = "json"\n'
    with start(terminal=True, local=local) as service, service.client() as client:
        client.get("/healthz")
        assert json.loads(service.logged("/healthz"))["status"] == 200
