"""What the guardian does: start a server, tell so, wait for the end, leave nothing.

Its one argument is a JSON object made by ``job.Job``, which says what each of its fields means.
Answers with one line of JSON: ``pid`` and ``directory``, or ``error``.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from ormbench.servers.guardian.ending import remove
from ormbench.servers.guardian.keeper import Keeper, RefusalError
from ormbench.servers.guardian.watch import Watch


def main(words: str) -> None:
    """Do the job that *words* describe."""
    try:
        keep(json.loads(words), Watch())
    except (OSError, RefusalError) as error:
        answer(sys.stdout, {"error": str(error)})


def keep(job: dict[str, Any], watch: Watch) -> None:
    """Start the server, tell so, wait for the end, leave nothing. Raises RefusalError, OSError."""
    directory = Path(tempfile.mkdtemp(prefix="ormbench-", dir=job["parent"]))
    try:
        keeper = Keeper(job, directory, watch)
        keeper.prepare()
        keeper.initialise()
        if watch.dismissed:
            return
        server = keeper.start()
        try:
            answer(sys.stdout, {"pid": server.pid, "directory": str(directory)})
            watch.until_over(server)
        finally:
            keeper.stop(server)
    finally:
        remove(directory)


def answer(out: IO[str], words: dict[str, Any]) -> None:
    """Send the one line; a coordinator that is gone by now needs none."""
    try:
        print(json.dumps(words), file=out, flush=True)
    except OSError:
        return
