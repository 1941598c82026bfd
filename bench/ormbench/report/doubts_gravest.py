"""The one reason for doubt that a reader must not miss, in words beside the trust line."""

import math

from ormbench.report.findings import Doubt, Trust


def text(trust: Trust) -> str:
    """As "drift: 181 cells, ... most: block means differ by 160 %".

    "" where there is no doubt, or where the run is not usable and says so first.
    """
    if not (trust.usable and trust.doubts):
        return ""
    one = max(trust.doubts, key=_reach)
    place = "" if one.about == "run" else f" in {one.about}"
    return f"{one.code}{place}: {one.seen}"


def _reach(doubt: Doubt) -> float:
    """How many cells it concerns; a doubt about the run as a whole more than any number."""
    whole = doubt.about == "run" and len(doubt.cells) <= 1
    return math.inf if whole else len(doubt.cells)
