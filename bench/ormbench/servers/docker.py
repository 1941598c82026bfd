"""Servers in containers, by the compose files in ``docker/``: the source called ``docker``.

Each has a compose project of its own, removed with volumes, network and folder by ``stop()``. A
coordinator that is killed (SIGKILL) leaves its containers behind, since they are the engine's
children and not its own; the next run and ``ormbench servers down`` remove them.
"""

import itertools
import os

from ormbench.errors import ServerError
from ormbench.servers import compose, engine, kept, launch, owner
from ormbench.servers.compose import Wish
from ormbench.servers.docker_server import DockerServer
from ormbench.servers.server import Product
from ormbench.servers.settings import Durability

OFFERS: tuple[Product, ...] = ("PostgreSQL", "MySQL", "MariaDB")

_numbers = itertools.count(1)


def unavailable(product: Product) -> str | None:
    """Why *product* cannot be started here, with what would help; None where it can.

    Takes a tenth of a second and pulls nothing.
    """
    return launch.unavailable(Wish(product, "relaxed"))


def start(product: Product, durability: Durability) -> DockerServer:
    """One that ``servers up`` keeps, if it is as wanted and nobody uses it; else one of our own.

    Takes 2 s (PostgreSQL) to 8 s (MySQL). Raises ServerError in one line.
    """
    wish = Wish(product, durability)
    if reason := launch.unavailable(wish):
        raise ServerError(f"docker {product}: {reason}")
    wish = compose.as_environment_says(wish, sockets=engine.find().shares_kernel)
    compose.sweep()
    if (borrowed := kept.claim(wish)) is not None:
        return borrowed
    project = f"ormbench-run-{os.getpid()}-{next(_numbers)}"
    return launch.launch(project, wish, owner.me())
