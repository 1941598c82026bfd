"""Makes run records of groups and a model of their cells, beside an A/A pair that is not theirs."""

from dataclasses import replace

from fabricate import fabricate

from ormbench.results.folder import RunRecord
from ormbench.results.manifest import LaneText


def modelled(groups, model, *, counts=(), base=None, **manifest):
    """A run of *groups* as *model* measures them; its focus is the first group's scenario.

    *base*: wishes for the fabricated run that the rest is from; *counts* are of the first block,
    and *manifest* has what this run says otherwise of itself.
    """
    groups, counts = tuple(groups), tuple(counts)
    cells = dict.fromkeys(cell for group in groups for cell in group.cells)
    targets = tuple(dict.fromkeys(one.target for one in cells))
    usual = {"scenarios": ("get_by_id",), "lanes": ("core",), "targets": targets}
    made = fabricate(**{**usual, "histograms": False, "left_out": (), **(base or {})})
    kept = [one for one in made.manifest.groups if one.name.startswith(("a/a", "empty"))]
    said = {
        "focus": groups[0].cells[0].scenario,
        "groups": (*groups, *kept),
        "lanes": {f"{one.scenario}/{one.lane}": LaneText("a lane", "", "pass") for one in cells},
        **manifest,
    }
    blocks = [_block(one, groups, kept, model, counts) for one in made.blocks]
    return RunRecord(made.path, replace(made.manifest, **said), tuple(blocks))


def _block(block, groups, kept, model, counts):
    names = {one.name for one in kept}
    return replace(
        block,
        trials=(
            *(trial for group in groups for trial in model.trials(group, block.number)),
            *(trial for trial in block.trials if trial.group in names),
        ),
        proofs=(
            *(proof for group in groups for proof in model.proofs(group, block.number)),
            *(proof for proof in block.proofs if proof.group in names),
        ),
        counts=counts if block.number == 0 else (),
    )
