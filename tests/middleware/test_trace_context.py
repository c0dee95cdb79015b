"""`traceparent`: W3C Trace Context, section 3.2, and nothing else gets into the log."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.access_log import AccessLog
from middleware.trace_context import trace_of
from tests.asgi import call, read_all, scope_of

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
VALID = f"00-{TRACE}-{PARENT}-01"


@pytest.mark.parametrize(
    "value",
    [VALID, f"00-{TRACE}-{PARENT}-00", f"01-{TRACE}-{PARENT}-01", f"cc-{TRACE}-{PARENT}-09-new"],
)
def test_a_valid_header_is_read(value: str) -> None:
    """Also of a later version, which may have more fields."""
    assert trace_of([(b"traceparent", value.encode())]) == (TRACE, PARENT)


@pytest.mark.parametrize(
    "value",
    [
        "",
        VALID.upper(),
        f"{VALID}-more",  # of version 00
        f"{VALID} ",
        f"{VALID}\n",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-0g",
        f"cc-{TRACE}-{PARENT}-01.more",
        f"cc-{TRACE}-{PARENT}-01-{'a' * 512}",
    ],
)
def test_an_invalid_header_is_ignored(value: str) -> None:
    """As the specification says."""
    assert trace_of([(b"traceparent", value.encode())]) is None


def test_a_header_that_is_sent_twice_is_ignored() -> None:
    """It would not be clear which one is meant."""
    assert trace_of([(b"traceparent", VALID.encode())] * 2) is None


@given(st.binary(max_size=80))
def test_whatever_is_sent(value: bytes) -> None:
    """It is valid and of digits only, or it is ignored."""
    trace = trace_of([(b"traceparent", value)])
    assert trace is None or set("".join(trace)) <= set("0123456789abcdef")


@pytest.mark.anyio
async def test_the_ids_are_in_the_log_line(log: list[str]) -> None:
    """Of a request that sent them; another one's line has no such field."""
    app = AccessLog(read_all, write=log.append)
    await call(app, scope_of(headers={"traceparent": VALID}))
    await call(app, scope_of(headers={"traceparent": f"{VALID}{VALID}"}))
    first, second = map(json.loads, log)
    assert (first["trace_id"], first["parent_id"]) == (TRACE, PARENT)
    assert second.keys().isdisjoint({"trace_id", "parent_id"})
