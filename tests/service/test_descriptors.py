"""The limit on open files, compared with what the settings need."""

import resource
from pathlib import Path

import pytest

from service.descriptors import TooFewDescriptors, allow_descriptors, needed_descriptors
from settings import load_settings

SHIPPED = Path(__file__).parents[2] / "settings.toml"
SETTINGS = load_settings(
    SHIPPED,
    {
        "OCR_TLS__MAX_CONNECTIONS": "1000",
        "OCR_ENGINE__PROCESSES": "4",
        "OCR_ENGINE__DECODERS": "2",
        "OCR_ENGINE__MAX_WAITING": "10",
    },
)
NEEDED = 1000 + 4 * (4 + 2 + 10) + 64


@pytest.mark.parametrize(
    ("soft", "hard", "raised"),
    [
        (100, 4096, NEEDED),
        (100, NEEDED, NEEDED),
        (100, resource.RLIM_INFINITY, NEEDED),
        (NEEDED, 4096, None),
        (5000, 5000, None),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None),
    ],
)
def test_the_soft_limit_is_raised(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int | None
) -> None:
    """To what is needed, if it is lower and the hard limit allows it."""
    changes: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: changes.append(limits))
    assert needed_descriptors(SETTINGS) == NEEDED
    allow_descriptors(SETTINGS)
    assert changes == ([] if raised is None else [(raised, hard)])


@pytest.mark.parametrize(
    ("hard", "most"), [(NEEDED - 1, "at most 999, or"), (500, "at most 372, or"), (100, None)]
)
def test_a_low_hard_limit_is_refused(
    monkeypatch: pytest.MonkeyPatch, hard: int, most: str | None
) -> None:
    """The message has the setting, the numbers, and both remedies where both help."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, hard))
    with pytest.raises(TooFewDescriptors) as refusal:
        allow_descriptors(SETTINGS)
    message = str(refusal.value)
    for part in ("max_connections = 1000", str(NEEDED), f"process {hard}:", "LimitNOFILE="):
        assert part in message
    assert ("at most" in message) is (most is not None)
    assert most is None or most in message
