"""Angles of boxes against the nearest axis, and their median."""

from typing import Any

import numpy as np
import numpy.typing as npt

from model.vision.polygon import Numbers


def degrees_to_axis(x: float, y: float) -> float:
    """Return the angle of a direction against the nearest axis, clockwise, -45 to 45 degrees."""
    return float((np.degrees(np.arctan2(y, x)) + 45) % 90 - 45)


def weighted_median(values: Numbers, weights: npt.NDArray[Any]) -> float:
    """Return the value with half of the weights on either side."""
    order = np.argsort(values)
    return float(values[order][weights[order].cumsum().searchsorted(weights.sum() / 2)])
