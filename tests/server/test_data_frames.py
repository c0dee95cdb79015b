"""How h2 describes DATA frames for its log."""

import binascii
from unittest import mock

import pytest
from hyperframe.frame import DataFrame

from server.patches import describe_body


@pytest.mark.parametrize(("ours", "hexlified"), [(True, 0), (False, 1)])
def test_a_body_is_not_hexlified(
    monkeypatch: pytest.MonkeyPatch, *, ours: bool, hexlified: int
) -> None:
    """A DATA frame is described by its length; stock turns the whole body into hex."""
    if ours:
        monkeypatch.setattr(DataFrame, "_body_repr", describe_body)
    frame = DataFrame(1, b"canary" * 1000)
    with mock.patch("binascii.hexlify", wraps=binascii.hexlify) as hexlify:
        described = repr(frame)
    assert hexlify.call_count == hexlified
    assert ("<6000 bytes>" in described) is ours
