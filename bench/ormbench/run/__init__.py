"""The coordinator: blocks of worker processes, rounds of slices, a run from plan to folder."""
