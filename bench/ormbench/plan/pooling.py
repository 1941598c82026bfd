"""Whether a cell can have the pool that its word asks for, and if not, why."""

from ormbench import pool
from ormbench.cell import Cell
from ormbench.lane import Receives
from ormbench.loader import without_on_loop
from ormbench.servers.supply import SPARE_CONNECTIONS, Supply
from ormbench.targets.driver import Driver

_ONE_CORE = (
    "placement {} leaves the client one core, where {} processes would measure the scheduler: "
    "take free"
)
_RAW = "a raw lane has the driver's own pool: pool=driver:size=N"
_RAW_RESET = "what is sent on return is the raw lane's own: nothing by raw, all of it by raw_pool"
_HELD = "raw_held holds a connection for each client: nobody shares, and nobody waits"
_STATIC = (
    "static is one connection: {} clients would share its transaction, and what one rolls back "
    "takes with it what others were told is committed"
)
_NEVER = (
    "{}'s pool does not wait: of {} clients, {} would find no connection of its {}, and get an "
    "error at once"
)


def unshared(cell: Cell) -> str | None:
    """Why its processes cannot share the clients, or the cores; None where they can."""
    if cell.clients % cell.processes:
        clients = f"{cell.clients} client{'s' * (cell.clients != 1)}"
        return f"{clients} cannot be shared evenly by {cell.processes} processes"
    if cell.processes > 1 and cell.placement != "free":
        return _ONE_CORE.format(cell.placement, cell.processes)
    return None


def too_many(cell: Cell, supply: Supply) -> str | None:
    """Why the server cannot hold the cell's connections; None where it can."""
    if cell.connections <= supply.most_connections:
        return None
    if cell.pool is None and cell.processes == 1:
        takes = f"the server's {supply.connections}"
        return f"{cell.clients} clients need more connections than {takes}"
    pools = f"{cell.processes} processes x " if cell.processes > 1 else ""
    hold = "hold" if cell.processes > 1 else "holds"
    return (
        f"{pools}{_sized(cell)} {hold} up to {cell.connections} connections, "
        f"the server takes {supply.connections}, {SPARE_CONNECTIONS} of them for others"
    )


def _sized(cell: Cell) -> str:
    """The pool of one process; where it follows from the clients, with their number."""
    if cell.pool is not None and pool.parse(cell.pool).size is not None:
        return cell.pool
    return f"{cell.pool or 'fitted'} to {clients_each(cell)} clients"


def clients_each(cell: Cell) -> int:
    """Clients of one of its processes."""
    return -(-cell.clients // cell.processes)


def unfit(cell: Cell, receives: Receives, driver: Driver) -> str | None:
    """Why a lane that *receives* that cannot have the cell's pool; None where it can."""
    if cell.pool is None:
        return None
    wanted = pool.parse(cell.pool)
    if receives == "driver":
        return _raw(cell, wanted, driver)
    if wanted.kind == "static" and clients_each(cell) > 1:
        return _STATIC.format(clients_each(cell))
    if wanted.kind != "driver":
        return None
    if receives == "new_engine":
        return "the lane makes its engines itself, each with a pool of SQLAlchemy's"
    return _without_pool(driver) or driver.not_lent or _wait(cell, wanted, driver)


def _raw(cell: Cell, wanted: pool.Pool, driver: Driver) -> str | None:
    if wanted.kind != "driver":
        return _RAW
    if without_on_loop(cell.lane) == "raw_held":
        waits = wanted.timeout is not None or wanted.most(clients_each(cell)) != clients_each(cell)
        return _HELD if waits else None
    if reason := _without_pool(driver):
        return reason
    return _RAW_RESET if wanted.reset == "none" else _wait(cell, wanted, driver)


def resets(cell: Cell, driver: Driver) -> bool:
    """Whether its pool sends a reset when a connection returns, which asyncpg's does as shipped."""
    if cell.lane == "raw_pool":
        return True
    wanted = pool.parse(cell.pool) if cell.pool else pool.FITTED
    shipped = wanted.kind == "driver" and wanted.reset != "none" and not cell.lane.startswith("raw")
    return shipped and driver.pool == "asyncpg.Pool"


def _without_pool(driver: Driver) -> str | None:
    return None if driver.pool else f"{driver.distribution} has no pool of its own"


def _wait(cell: Cell, wanted: pool.Pool, driver: Driver) -> str | None:
    """Why clients that wait for a connection do not get what was asked for."""
    clients = clients_each(cell)
    size = wanted.most(clients)
    if driver.pool_waits == "never" and size < clients:
        return _NEVER.format(driver.name, clients, clients - size, size)
    if driver.pool_waits == "limited" or wanted.timeout is None:
        return None
    how = "without end" if driver.pool_waits == "endless" else "not at all"
    return f"{driver.name}'s pool waits {how}: it takes no timeout"
