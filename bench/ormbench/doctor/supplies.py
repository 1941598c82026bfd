"""What a run could be made with here: Docker, servers of each product, drivers, event loops."""

import importlib.util
from collections.abc import Mapping, Sequence
from importlib import metadata

from ormbench.doctor.fact import Fact, Value
from ormbench.errors import ServerError
from ormbench.servers import docker, engine
from ormbench.servers.server import PRODUCTS, Kind, Product
from ormbench.servers.supply import SOURCES
from ormbench.targets.driver import Driver
from ormbench.targets.drivers import DRIVERS

Reasons = Mapping[Kind, str | None]  # why a product cannot come from there; None where it can


def supply_facts() -> list[Fact]:
    """Docker, each product, drivers, uvloop; starts nothing and downloads nothing."""
    reasons = {product: why_not(product) for product in PRODUCTS}
    docker_reasons = {product: reasons[product].get("docker") for product in docker.OFFERS}
    return [
        docker_fact(docker_reasons),
        *(server_fact(product, reasons[product]) for product in PRODUCTS),
        drivers_fact([(driver, installed(driver)) for driver in DRIVERS]),
        uvloop_fact(_version("uvloop")),
    ]


def why_not(product: Product) -> Reasons:
    """Of each kind of server that offers *product*, why it cannot run; None where it can."""
    return {
        kind: source.unavailable(product)
        for kind, source in SOURCES.items()
        if product in source.OFFERS
    }


def docker_fact(reasons: Mapping[Product, str | None]) -> Fact:
    """The engine's version, and which products have an image here."""
    try:
        version = engine.find().version
    except ServerError as error:
        return Fact("docker", "no engine", {"engine": None}, str(error))
    here = [product for product, reason in reasons.items() if reason is None]
    images = ", ".join(here) or "none of ours"
    lacking = [reason for reason in reasons.values() if reason is not None]
    help_ = lacking[0] if lacking else ""
    return Fact("docker", f"{version}; images: {images}", {"engine": version}, help_)


def server_fact(product: Product, reasons: Reasons) -> Fact:
    """Where *product* can come from; what to do where it cannot."""
    able = [kind for kind, reason in reasons.items() if reason is None]
    told = "; ".join(f"{kind}: {reason}" for kind, reason in reasons.items() if reason)
    values: dict[str, Value] = {kind: reason or "can run" for kind, reason in reasons.items()}
    if not able:
        return Fact(product, "none can run here", values, told)
    further = f"; also {', '.join(able[1:])}" if able[1:] else ""
    return Fact(product, f"{able[0]}{further}", values)


def installed(driver: Driver) -> str | None:
    """The driver's version; None where it is not there."""
    if importlib.util.find_spec(driver.module) is None:
        return None
    return _version(driver.distribution) or "of unknown version"


def drivers_fact(found: Sequence[tuple[Driver, str | None]]) -> Fact:
    """Which drivers are there, with version or None, and what to install for the others."""
    there = {driver.distribution: version for driver, version in found if version}
    missing = {driver.distribution: driver for driver, version in found if not version}
    return Fact(
        "drivers",
        ", ".join(f"{name} {version}" for name, version in there.items()) or "none",
        {driver.name: version for driver, version in found},
        "; ".join(f"no {name}: {driver.install}" for name, driver in missing.items()),
    )


def uvloop_fact(version: str | None) -> Fact:
    """Whether the axis ``loop`` has its second value."""
    if version is None:
        return Fact("uvloop", "not installed", {"version": None}, "pip install uvloop")
    return Fact("uvloop", version, {"version": version})


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
