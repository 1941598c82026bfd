"""How every driver that is built on libpq is told where to connect, by SQLAlchemy and by itself."""

from typing import Any

from ormbench.targets.raw import RawSettings


def connect_args(schema: str) -> dict[str, Any]:
    """What SQLAlchemy hands to the driver so that names resolve in *schema*."""
    return {"options": f"-c search_path={schema}"}


def keywords(settings: RawSettings) -> dict[str, Any]:
    """What a raw pool hands to the driver's ``connect``; None is left out by the driver."""
    address = settings.address
    return {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "password": address.password or None,
        "dbname": address.database,
        **connect_args(settings.schema),
    }
