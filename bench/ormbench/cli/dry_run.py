"""``run --dry-run``: cells, minutes and connections, before anything starts."""

from ormbench.plan.duration import ROW, operation
from ormbench.plan.plan import Plan
from ormbench.servers.supply import Supply
from ormbench.targets.target import TARGETS


def describe(plan: Plan, supply: Supply) -> str:
    """The plan as text."""
    cells = plan.cells
    lines = [
        f"plan {plan.name}: {plan.title}",
        f"{len(cells)} cells in {len(plan.groups)} groups",
        f"{plan.blocks} blocks of {plan.rounds} rounds: about {_duration(plan.seconds)}",
        *_batches(plan),
        f"at most {plan.connections} connections at once (the server takes {supply.connections})",
        *_servers(plan, supply),
        "",
    ]
    for group in plan.groups:
        reference, *others = group.cells
        if any(contrast.kind == "aa" for contrast in group.contrasts):
            lines.append(f"  A/A  {reference.id}")
            continue
        lines.append(f"  {reference.id}" + ("  (reference)" if others else ""))
        lines += [f"       {cell.id}" for cell in others]
    for one in plan.left_out:
        lines.append(f"  left out: {one.cell.id}: {one.reason}")
    return "\n".join(lines)


def _batches(plan: Plan) -> list[str]:
    """What that estimate is made of, where operations may be slow ones."""
    slowest = max(map(operation, plan.cells))
    if not slowest:
        return []
    told = f"a row was taken for {ROW * 1e6:.0f} µs, the slowest operation for {slowest:.2g} s"
    limits = sorted({plan.longest, *plan.limits.values()})
    longest = " or ".join(f"{one:g}" for one in limits) + " s"
    if len(limits) > 1:
        longest += ", as its plan says,"
    return [f"{told}; what takes more than {longest} is SKIPPED while it runs"]


def _servers(plan: Plan, supply: Supply) -> list[str]:
    """Which servers it would start, and why from there."""
    targets = (TARGETS.get(cell.target) for cell in plan.cells)
    products = dict.fromkeys(target.server for target in targets if target)
    return [
        f"{product}: {supply.kinds[product]}, {supply.why.get(product, '')}" for product in products
    ]


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - a reader's sense of time
