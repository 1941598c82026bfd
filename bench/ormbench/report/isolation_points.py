"""What the chart of isolation levels draws: which panels, which lanes, which names. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ormbench.report.digest_isolation import Level, Panel, Way, first_of_each
from ormbench.report.isolation_words import LADDER, contender

LIMIT = 6  # panels; the tables below the chart have them all
MOST_WAYS = 4  # lanes of a panel: more cannot be told apart


@dataclass(frozen=True, slots=True)
class Point:
    """A level with the name that stands beside it."""

    level: Level
    name: str
    chosen: bool  # the best of its lane, or as good


def drawn(found: Sequence[Panel], focus: str) -> tuple[Panel, ...]:
    """The panels of the picture: the focus first, then those where something went wrong."""

    def rank(panel: Panel) -> tuple[bool, bool]:
        return panel.place.scenario != focus, not panel.contended

    return tuple(sorted(first_of_each(found), key=rank)[:LIMIT])


def ways_drawn(panel: Panel) -> tuple[Way, ...]:
    """The lanes of a panel's picture: the answer's, those of other kinds, the ladder's."""
    main = contender(panel)
    others = [one for one in panel.ways if one is not main and one.levels]
    others.sort(key=lambda one: one.lane in LADDER)
    return (main, *others[: MOST_WAYS - 1])


def points(panel: Panel) -> tuple[Point, ...]:
    """The points of a panel's picture, with the lane in their names where there are several."""
    ways = ways_drawn(panel)
    return tuple(
        Point(level, _name(way, level, several=len(ways) > 1), _is_chosen(level))
        for way in ways
        for level in way.levels
    )


def _name(way: Way, level: Level, *, several: bool) -> str:
    """As "orm serializable": the level as plans write it, which is narrower than its own name."""
    words = level.found.cell.isolation or "default"
    return f"{way.lane} {words}" if several else words


def _is_chosen(level: Level) -> bool:
    return level.standing in ("best", "cannot tell")
