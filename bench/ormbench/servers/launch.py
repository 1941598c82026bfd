"""Start one server in a container, or leave nothing behind."""

from pathlib import Path

from ormbench.errors import ServerError
from ormbench.servers import compose, engine
from ormbench.servers.compose import Wish
from ormbench.servers.container import Container
from ormbench.servers.docker_server import DockerServer


def unavailable(wish: Wish) -> str | None:
    """Why it cannot be started here, with what would help; None where it can.

    Takes a tenth of a second and pulls nothing.
    """
    try:
        engine.find()
        image = compose.image(wish.product)
    except ServerError as error:
        return str(error)
    if engine.has_image(image):
        return None
    variable = compose.image_variable(wish.product)
    return f"image {image} is not here: docker pull {image}, or name another in {variable}"


def launch(project: str, wish: Wish, whose: str) -> DockerServer:
    """Start one and wait until it answers. Raises ServerError, and then leaves nothing behind."""
    sockets = engine.find().shares_kernel
    place = compose.make_folder(whose, wish.service)
    try:
        compose.up(project, wish, place, whose, sockets=sockets)
        container = Container.get(f"{project}-{wish.service}-1")
        container.wait_until_ready()
        return DockerServer.of(container)
    except BaseException as error:  # Ctrl-C too
        _clear(project, wish, place)
        if isinstance(error, ServerError):
            raise ServerError(f"docker {wish.product} did not start: {error}") from error
        raise


def _clear(project: str, wish: Wish, place: Path) -> None:
    """At once: while an image sets up its data, it does not listen to a polite request."""
    for container in compose.containers(project, wish.service):
        engine.call("rm", "--force", "--volumes", container)
    if not compose.containers(project):
        compose.down(project)
    compose.remove_folder(place, compose.image(wish.product))
