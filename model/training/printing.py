"""The ways of printing that a line can be rendered in."""

from typing import Literal

# As usual; worn (needles, on thermal paper, pale); small; in a crop much higher than the letters.
Printing = Literal["", "worn", "small", "high"]
