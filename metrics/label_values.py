"""The values of a label, of which there are never more than a fixed number."""

from collections.abc import Iterable

OTHER = "other"


class LabelValues:
    """Gives each value back, up to `most` different ones besides those that are `known`.

    Any further one becomes "other": whatever is counted, no label makes more series than that.
    """

    def __init__(self, known: Iterable[str] = (), *, most: int = 0) -> None:
        self._values = {*known}
        self._most = most + len(self._values)

    def __call__(self, value: str) -> str:
        if value in self._values:
            return value
        if len(self._values) < self._most:
            self._values.add(value)
            return value
        return OTHER
