"""How many operations make a slice: about 10 ms, the same number for all arms of a group.

Pure arithmetic. Why 10 ms: docs/decisions/0009-short-slices.md.
"""

from dataclasses import dataclass

MS = 1_000_000
TARGET_NS = 10 * MS
LONGEST_NS = 30 * MS  # of a slice; an operation above this is a slice by itself
GLACIAL_NS = 1_000 * MS  # and above this there are five slices in all
GLACIAL_SLICES = 5
PER_CLIENT = 10  # operations that a slice has, where they fit into its longest time
MOST = 2_000  # operations of a slice: keeps the empty scenario's slice short
WARM_OPERATIONS = 20  # at most, of one client, before an arm's first slice
WARM_LAPS = 10  # at most, then, of all clients
LEAST_LAPS = 7  # unless they take long: psycopg prepares at a connection's sixth call
SETTLING = 3  # operations at the start of a slice that run and are not recorded
OVERHEAD_NS = 3 * MS  # of a slice: messages, a collection, inputs, histograms
USUAL_NS = TARGET_NS + OVERHEAD_NS + SETTLING * MS  # what a slice costs, and a plan's round means
FEWEST_ROUNDS = 4  # below which a block's own estimate means little
PATIENCE_NS = 1_000 * MS  # of an arm's slices in a block, where that is less than FEWEST_ROUNDS


@dataclass(frozen=True, slots=True)
class SliceSize:
    """The shape of a group's slices."""

    operations: int  # recorded
    settling: int  # run before those, not recorded
    rounds: int  # slices of an arm in a block

    @property
    def turns(self) -> int:
        """Turn numbers that a slice uses up."""
        return self.operations + self.settling


def slice_size(
    slowest_ns: int, clients: int, rounds: int, blocks: int, reset_ns: int = 0, least: int = 1
) -> SliceSize:
    """The slices of a group whose slowest arm takes *slowest_ns* for an operation.

    Each client has *least* operations in one, or more.

    Where slices cost more than usual, by slow operations or by tables that are put back before
    each, there are fewer of them, so that each arm gets about the same time. There are
    FEWEST_ROUNDS, unless these took longer than PATIENCE_NS.
    """
    if slowest_ns > GLACIAL_NS:
        return SliceSize(clients, 0, max(1, GLACIAL_SLICES // blocks))
    slowest = max(1, slowest_ns)
    most = min(PER_CLIENT, LONGEST_NS // slowest)
    each = min(MOST, max(least, most, TARGET_NS // slowest))
    settling = _settling(each, clients)
    cost = (each + settling // clients) * slowest + OVERHEAD_NS + reset_ns
    fewest = max(1, min(FEWEST_ROUNDS, PATIENCE_NS // (each * slowest)))
    affordable = max(fewest, rounds * USUAL_NS // cost)
    return SliceSize(each * clients, settling, min(rounds, affordable))


def _settling(each: int, clients: int) -> int:
    if each == 1:
        return 0
    return clients if each < PER_CLIENT else max(SETTLING, clients)


def warm_turns(clients: int) -> int:
    """Turn numbers that the warm-up of an arm may use up."""
    return WARM_OPERATIONS + (WARM_LAPS * clients if clients > 1 else 0)


def fitted(rounds: int, seconds: float, room: float, most: int) -> int:
    """Rounds of the next blocks, when *rounds* took *seconds* and there is *room* for them.

    Never fewer than FEWEST_ROUNDS, or *most* where that is less, and never more than *most*.
    """
    fits = int(rounds * max(0.0, room) / seconds) if seconds > 0 else most
    return min(most, max(FEWEST_ROUNDS, fits))


def size_again(operations: int, clients: int, rounds: int) -> SliceSize:
    """The size whose slices recorded so many *operations*, for a run that goes on."""
    return SliceSize(operations, _settling(operations // clients, clients), rounds)
