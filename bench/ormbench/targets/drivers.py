"""The drivers, a row each. What a row says of isolation levels and abilities was tried (tests)."""

from functools import partial

from ormbench.targets import (
    dbapi,
    libpq,
    mysql,
    mysql_async,
    mysql_sync,
    postgresql_asyncpg,
    postgresql_psycopg,
    postgresql_psycopg2,
    postgresql_psycopg_sync,
)
from ormbench.targets.driver import Driver

_STANDARD = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
_ALL_FIVE = ("AUTOCOMMIT", "READ UNCOMMITTED", *_STANDARD)
_NOT_ASCII = "a password beyond ASCII is sent as Latin-1, and refused"
_UPSERT = "on_duplicate_key_update() of a constant, with many rows, is an error ({})"
_UPSERT_ON_MARIADB = "on MariaDB " + _UPSERT
_LENT_FROM = "" if postgresql_psycopg.CAN_LEND else "psycopg_pool lends to SQLAlchemy from 3.3 on"

DRIVERS = (
    Driver(
        name="asyncpg",
        dialect="asyncpg",
        servers=("PostgreSQL",),
        distribution="asyncpg",
        module="asyncpg",
        install="pip install asyncpg",
        raw=postgresql_asyncpg.Pool,
        connect_args=postgresql_asyncpg.connect_args,
        cache=postgresql_asyncpg.cache,
        pool="asyncpg.Pool",
        isolation_levels=("AUTOCOMMIT", *_STANDARD),
        abilities=frozenset({"binary COPY", "server-side cursor", "statement cache"}),
    ),
    Driver(
        name="psycopg",
        dialect="psycopg",
        servers=("PostgreSQL",),
        distribution="psycopg",
        module="psycopg",
        install="pip install 'psycopg[binary,pool]'",
        raw=postgresql_psycopg.Pool,
        connect_args=libpq.connect_args,
        cache=postgresql_psycopg.cache,
        paramstyle="format",
        pool="psycopg_pool.AsyncConnectionPool",
        not_lent=_LENT_FROM,
        isolation_levels=_ALL_FIVE,
        abilities=frozenset(
            {"COPY", "binary COPY", "pipeline", "server-side cursor", "statement cache"}
        ),
        unsupported={
            "raw_pool": "psycopg_pool sends nothing on return, so this would be raw again"
        },
    ),
    Driver(
        name="psycopg_sync",
        dialect="psycopg",
        servers=("PostgreSQL",),
        distribution="psycopg",
        module="psycopg",
        install="pip install 'psycopg[binary,pool]'",
        raw=partial(
            dbapi.Pool,
            "psycopg",
            postgresql_psycopg_sync.keywords,
            "ormbench.targets.postgresql_psycopg_sync:ThreadPool",
            given=postgresql_psycopg_sync.Driver,
            tell=postgresql_psycopg.limit,
        ),
        connect_args=libpq.connect_args,
        cache=postgresql_psycopg.cache,
        is_async=False,
        paramstyle="format",
        pool="psycopg_pool.ConnectionPool",
        not_lent=_LENT_FROM,
        isolation_levels=_ALL_FIVE,
        abilities=frozenset(
            {"COPY", "binary COPY", "pipeline", "server-side cursor", "statement cache"}
        ),
        unsupported={
            "raw_pool": "psycopg_pool sends nothing on return, so this would be raw again"
        },
    ),
    Driver(
        name="aiomysql",
        dialect="aiomysql",
        servers=("MySQL", "MariaDB"),
        distribution="aiomysql",
        module="aiomysql",
        install="pip install aiomysql",
        raw=partial(mysql_async.Pool, "aiomysql"),
        connect_args=mysql.connect_args,
        pool="aiomysql.Pool",
        pool_waits="endless",
        isolation_levels=_ALL_FIVE,
        abilities=frozenset({"LOAD DATA", "server-side cursor"}),
        unsupported={
            "raw_pool": "aiomysql's pool sends nothing on return, so this would be raw again"
        },
        defects=(
            "executemany() of text() runs row by row without spaces around VALUES (aiomysql#516)",
            "an upsert of many rows runs row by row on MySQL: AS new (aiomysql#968)",
            _UPSERT_ON_MARIADB.format("PyMySQL#554"),
            _NOT_ASCII,
            "after a warning raw lanes ask SHOW WARNINGS; through SQLAlchemy it does not",
        ),
    ),
    Driver(
        name="asyncmy",
        dialect="asyncmy",
        servers=("MySQL", "MariaDB"),
        distribution="asyncmy",
        module="asyncmy",
        install="pip install asyncmy",
        raw=partial(mysql_async.Pool, "asyncmy"),
        connect_args=mysql.connect_args,
        cache=mysql_async.cache,
        pool="asyncmy.Pool",
        pool_waits="endless",
        isolation_levels=_ALL_FIVE,
        abilities=frozenset({"LOAD DATA", "server-side cursor", "statement cache"}),
        unsupported={
            "raw_pool": "asyncmy's pool sends nothing on return, so this would be raw again"
        },
        defects=(
            "LOAD DATA LOCAL fails, and the connection with it (asyncmy#88)",
            _UPSERT.format("PyMySQL#554"),
            _NOT_ASCII,
            "after a warning it asks SHOW WARNINGS, through SQLAlchemy too",
            "its statement cache is off by default: stmt_cache_size in connect_args",
            "with that cache, a FLOAT of 0.1 is 0.10000000149011612: its binary form",
        ),
    ),
    Driver(
        name="pymysql",
        dialect="pymysql",
        servers=("MySQL", "MariaDB"),
        distribution="pymysql",
        module="pymysql",
        install="pip install pymysql",
        raw=partial(
            dbapi.Pool,
            "pymysql",
            partial(mysql.dbapi_keywords, **mysql.PYMYSQL),
            None,
            given=mysql_sync.Driver,
        ),
        connect_args=partial(mysql.connect_args, **mysql.PYMYSQL),
        is_async=False,
        isolation_levels=_ALL_FIVE,
        abilities=frozenset({"LOAD DATA", "server-side cursor"}),
        unsupported={
            "raw_held": "PyMySQL has no pool: raw holds its connections already",
            "raw_pool": "PyMySQL has no pool",
        },
        defects=(_UPSERT.format("PyMySQL#554"), _NOT_ASCII),
    ),
    Driver(
        name="mysqldb",
        dialect="mysqldb",
        servers=("MySQL", "MariaDB"),
        distribution="mysqlclient",
        module="MySQLdb",
        install="pip install mysqlclient, which is built here: it needs pkg-config, a C compiler "
        "and libmysqlclient-dev or libmariadb-dev",
        raw=partial(
            dbapi.Pool,
            "MySQLdb",
            partial(mysql.dbapi_keywords, **mysql.MYSQLCLIENT),
            None,
            given=mysql_sync.Driver,
        ),
        connect_args=partial(mysql.connect_args, **mysql.MYSQLCLIENT),
        is_async=False,
        isolation_levels=_ALL_FIVE,
        abilities=frozenset({"LOAD DATA", "server-side cursor"}),
        unsupported={
            "raw_held": "mysqlclient has no pool: raw holds its connections already",
            "raw_pool": "mysqlclient has no pool",
        },
        defects=(
            "an upsert of many rows runs row by row on MySQL: AS new (mysqlclient#771)",
            _UPSERT_ON_MARIADB.format("mysqlclient#549"),
            "localhost means the default socket, whatever the port: say 127.0.0.1",
        ),
    ),
    Driver(
        name="psycopg2",
        dialect="psycopg2",
        servers=("PostgreSQL",),
        distribution="psycopg2-binary",
        module="psycopg2",
        install="pip install psycopg2-binary",
        raw=partial(
            dbapi.Pool,
            "psycopg2",
            libpq.keywords,
            "psycopg2.pool:ThreadedConnectionPool",
            given=postgresql_psycopg2.Driver,
        ),
        connect_args=libpq.connect_args,
        is_async=False,
        paramstyle="format",
        pool="psycopg2.pool.ThreadedConnectionPool",
        pool_waits="never",
        not_lent="SQLAlchemy gives a connection back by close(), and by that one psycopg2's own "
        "pool throws it away",
        isolation_levels=_ALL_FIVE,
        abilities=frozenset({"COPY", "server-side cursor"}),
        unsupported={"raw_pool": "its pool sends nothing after a commit: this would be raw again"},
        defects=("executemany() runs row by row, where SQLAlchemy makes one statement of many",),
    ),
)
