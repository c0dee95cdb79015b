"""Receive windows of HTTP/2 flow control (RFC 9113, section 5.2)."""

LARGEST_WINDOW = 2**31 - 1


class ReceiveWindow:
    """How many bytes a peer may have under way, and how many of them it is owed again.

    It is never owed more than half a window, nor half of `basis` where the window is larger.
    """

    def __init__(self, size: int, basis: int = LARGEST_WINDOW) -> None:
        self.size = size
        self._basis = basis
        self._owed = 0
        self._withheld = 0

    def give_back(self, amount: int) -> int:
        """Return how much to open the window by, now that so much has been taken from it.

        Half a window at a time: one WINDOW_UPDATE for many frames, and never a stalled sender.
        """
        kept = min(self._withheld, amount)
        self._withheld -= kept
        self._owed += amount - kept
        if self._owed * 2 < min(self.size, self._basis):
            return 0
        due, self._owed = self._owed, 0
        return due

    def grow(self, amount: int) -> int:
        """Make the window larger; return by how much, which the largest legal window bounds."""
        amount = max(0, min(amount, LARGEST_WINDOW - self.size))
        self.size += amount
        return amount

    def shrink(self, amount: int) -> None:
        """Make the window smaller: a window can't be taken back, so less is given back."""
        self.size -= amount
        self._withheld += amount
