"""Content negotiation by Accept and Accept-Language; RFC 9110, section 12.5."""

from collections.abc import Sequence


def preferred(header: str | None, offered: Sequence[str]) -> str:
    """Return the entry of `offered` that an Accept or Accept-Language header prefers.

    The first entry is the default: if the header is missing or malformed, has no preference, or
    accepts none of `offered`.
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
    """Return the quality of the most specific range that matches `offer`; 0 without one."""
    matching = [
        (len(name.rstrip("*/-")), quality) for name, quality in ranges if _matches(name, offer)
    ]
    return max(matching, default=(0, 0.0))[1]


def _matches(name: str, offer: str) -> bool:
    if name in {"*", "*/*", offer}:
        return True
    if name.endswith("/*"):
        return offer.startswith(name[:-1])
    # Languages match by their primary tag in both directions: zh-CN is served by zh, zh by zh-CN.
    return "/" not in name and bool(name) and name.partition("-")[0] == offer.partition("-")[0]
