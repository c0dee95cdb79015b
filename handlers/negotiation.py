"""Which of the things we can answer with a caller wants most. RFC 9110, section 12.5."""

from collections.abc import Sequence


def preferred(header: str | None, offered: Sequence[str]) -> str:
    """Return the entry of `offered` that an Accept or Accept-Language header ranks highest.

    The first is the default: for a header that is missing, malformed, indifferent, or wants none.
    """
    ranges = [_range(part) for part in (header or "").split(",")]
    best = max(offered, key=lambda offer: _quality(offer, ranges))
    return best if _quality(best, ranges) > _quality(offered[0], ranges) else offered[0]


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
    return name, quality


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that covers `offer`; 0 for none."""
    covering = [
        (len(name.rstrip("*/-")), quality) for name, quality in ranges if _covers(name, offer)
    ]
    return max(covering, default=(0, 0.0))[1]


def _covers(name: str, offer: str) -> bool:
    if name in {"*", "*/*", offer}:
        return True
    if name.endswith("/*"):
        return offer.startswith(name[:-1])
    # A language range covers its kind both ways: zh-CN is served by zh, zh by zh-CN.
    return "/" not in name and bool(name) and name.partition("-")[0] == offer.partition("-")[0]
