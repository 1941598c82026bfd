"""A server in a container, as the rest of the harness sees it."""

import time
from pathlib import Path
from typing import Self, cast

from ormbench.errors import ServerError
from ormbench.servers import compose, control, engine, port_tax, processes
from ormbench.servers.container import Container
from ormbench.servers.control_group import CpuClock
from ormbench.servers.placement import allowed_cpus
from ormbench.servers.server import PRODUCTS, Address, Kind, Product
from ormbench.servers.settings import Durability

USER = DATABASE = PASSWORD = "bench"  # noqa: S105 - of a server that is reached from here alone
_PORTS = {"PostgreSQL": 5432, "MySQL": 3306, "MariaDB": 3306}
_ANSWER_SECONDS = 10.0
_ASK_AGAIN = 0.05


class DockerServer:
    """A running container of ours. ``stop()`` removes it with all that belongs to it."""

    kind: Kind = "docker"

    def __init__(self, container: Container, product: Product) -> None:
        self.container = container
        self.product = product
        self.folder = Path(container.label("ormbench.folder"))
        self.socket = socket_address(product, self.folder)
        self.address = self.socket if self.transport == "socket" else self._by_port()
        self.version = ""
        self.tax: port_tax.PortTax | None = None
        self._is_here = container.is_here
        self._clock = CpuClock.of(container.pid, container.id) if self._is_here else None
        self._cpus: frozenset[int] | None = None  # None until it is pinned
        self._paused = container.status == "paused"
        self._stopped = False

    @classmethod
    def of(cls, container: Container) -> Self:
        """The server in a container that is ready. Raises ServerError where none answers."""
        service = container.label("com.docker.compose.service")
        product = next(one for one in PRODUCTS if one.lower() == service)
        server = cls(container, product)
        server.resume()
        server.version = server._first_answer()
        if server.transport == "port" and server._is_here:
            server.tax = port_tax.measure(server.socket, server.address)
        return server

    @property
    def transport(self) -> compose.Transport:
        """How its clients come in."""
        return "port" if self.container.label("ormbench.transport") == "port" else "socket"

    @property
    def durability(self) -> Durability:
        """What its commits wait for."""
        return cast("Durability", self.container.label("ormbench.durability"))

    def settings(self) -> dict[str, str]:
        """Settings that differ from the product's defaults. Raises ServerError."""
        return control.changed_settings(self.address)

    def description(self) -> dict[str, str]:
        """Kind, durability, transport and its tax, image, engine, where its data is, limits."""
        return {
            "kind": self.kind,
            "durability": self.durability,
            "transport": self._way(),
            "image": self.container.image(),
            "engine": engine.find().version,
            "data": self.container.label("ormbench.data"),
            "limits": self.container.limits(),
        }

    def place(self, cpus: frozenset[int]) -> None:
        """Pin the whole container, and whatever will run in it (see Server).

        Takes 40 ms, and nothing where it is pinned so already. An engine in a virtual machine
        has cores of its own: there ServerError is raised, unless all cores are meant.
        """
        if cpus == self._cpus or (self._cpus is None and cpus == allowed_cpus()):
            return
        if not self._is_here:
            raise ServerError(
                f"docker {self.product} runs in a virtual machine, whose cores are not ours to "
                "choose; take placement free"
            )
        self.container.pin(cpus)
        self._cpus = cpus

    def cpu_ns(self) -> int | None:
        """CPU time of all that ever ran in the container, in ns; None where it cannot be read."""
        return self._clock.read() if self._clock else None

    def pause(self) -> None:
        """Freeze all its processes. Takes 40 ms, and nothing where it is paused."""
        if not self._paused:
            engine.call("pause", self.container.id)
            self._paused = True

    def resume(self) -> None:
        """Let them go on. Takes 40 ms, and nothing where they do."""
        if self._paused:
            engine.call("unpause", self.container.id)
            self._paused = False

    def alive(self) -> bool:
        """Whether it still runs, paused or not."""
        if self._is_here:
            return processes.runs(self.container.pid)
        try:
            return Container.get(self.container.id).status in {"running", "paused"}
        except ServerError:
            return False

    def stop(self) -> None:
        """End it and remove container, volume, network and folder. A second call does nothing."""
        if self._stopped:
            return
        self._let_go()
        project = self.container.label("com.docker.compose.project")
        image = str(self.container.told["Image"])
        if self.container.id in compose.containers(project):
            if self.alive():
                self.resume()
            compose.remove(project, self.container.id)
        compose.remove_folder(self.folder, image)

    def _let_go(self) -> None:
        self._stopped = True
        if self._clock:
            self._clock.close()
            self._clock = None

    def _way(self) -> str:
        if self.transport == "socket":
            return "unix socket of a container"
        return f"loopback port through Docker, {self.tax or 'port tax ' + port_tax.UNKNOWN}"

    def _by_port(self) -> Address:
        number = self.container.port()
        if number is None:
            raise ServerError("no port of it is open, though one was asked for")
        return Address(self.product, "127.0.0.1", number, USER, DATABASE, PASSWORD)

    def _first_answer(self) -> str:
        """Its version. The socket may come a moment after the port that the health check asks."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        while True:
            try:
                return control.version(self.address)
            except ServerError as error:
                if time.monotonic() < deadline:
                    time.sleep(_ASK_AGAIN)
                elif self.address.is_socket and not any((self.folder / self._service).iterdir()):
                    raise ServerError(
                        "it is ready, and its socket is not here: the engine does not see this "
                        "machine's files; set BENCH_TRANSPORT=port"
                    ) from error
                else:
                    raise

    @property
    def _service(self) -> str:
        return self.product.lower()


def socket_address(product: Product, folder: Path) -> Address:
    """Where its socket is, in its folder."""
    place = folder / product.lower()
    host = place if product == "PostgreSQL" else place / "mysqld.sock"
    return Address(product, str(host), _PORTS[product], USER, DATABASE, PASSWORD)
