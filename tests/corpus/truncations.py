"""Valid files of every type, cut off at every layer: magic, header, table, pixels, end."""

from functools import partial

from tests.corpus.entry import BROKEN, FOREIGN, FORGIVEN, UNRECOGNISED, Entry
from tests.corpus.seeds import SEEDS

_TYPES = ("png", "jpeg", "webp", "webp-animated", "avif", "gif", "bmp", "tiff", "pdf")
# Bytes that are left of the file's beginning, and what may become of them.
_HEADS = {1: FOREIGN, 4: UNRECOGNISED, 12: BROKEN, 40: BROKEN}


def _cut(name: str, kept: float) -> bytes:
    """Return a valid file's first bytes: so many, or that share of them."""
    data = SEEDS[name]()
    return data[: round(kept * len(data)) if isinstance(kept, float) else kept]


def _without_the_middle(name: str) -> bytes:
    data = SEEDS[name]()
    return data[: len(data) // 3] + data[len(data) // 2 :]


ENTRIES = (
    *(
        Entry(f"{name}-cut-after-{kept}", partial(_cut, name, kept), statuses)
        for name in _TYPES
        for kept, statuses in _HEADS.items()
    ),
    *(
        Entry(f"{name}-cut-after-{share:.0%}", partial(_cut, name, share), FORGIVEN)
        for name in _TYPES
        for share in (0.5, 0.99)
    ),
    *(
        Entry(f"{name}-without-middle", partial(_without_the_middle, name), FORGIVEN)
        for name in _TYPES
    ),
)
