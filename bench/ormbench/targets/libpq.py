"""How every driver that is built on libpq is told where to connect, by SQLAlchemy and by itself."""

from typing import Any

from ormbench.targets.raw import RawSettings


def connect_args(schema: str) -> dict[str, Any]:
    """What SQLAlchemy hands to the driver so that names resolve in *schema*."""
    return {"options": f"-c search_path={schema}"}


def keywords(settings: RawSettings) -> dict[str, Any]:
    """What a raw pool hands to the driver's ``connect``; None is left out by the driver."""
    address, given = settings.address, connect_args(settings.schema)
    if settings.isolation is not None:
        level = settings.isolation.replace(" ", "\\ ")  # a space ends an option
        given = {"options": f"{given['options']} -c default_transaction_isolation={level}"}
    return {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "password": address.password or None,
        "dbname": address.database,
        **given,
    }
