"""The commands of the MySQL protocol: what answers each, and how servers count it.

What `Questions` counts was tried on MySQL 9.7, MariaDB 10.11 and 11.8, command by command, and is
the same on all: everything but COM_PING, COM_STATISTICS, and COM_STMT_PREPARE, _RESET and _CLOSE.
COM_STMT_SEND_LONG_DATA and COM_QUIT, which are not answered, count, and so do commands that the
server does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ormbench.wire.mysql_answers import (
    AnswerTo,
    change_user,
    executed,
    fetched,
    fields,
    one,
    prepared,
    reset,
    string,
)


@dataclass(frozen=True, slots=True)
class Command:
    """What a client may send when it has logged in."""

    kind: str  # its name in the protocol
    answer: AnswerTo | None = one  # None: the server keeps silent
    question: bool = True
    word: str = ""  # of the statement that `Com_*` takes it for


QUERY, PREPARE, EXECUTE, LONG_DATA, CLOSE, RESET, FETCH = 0x03, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1C
BULK = 0xFA

COMMANDS: Mapping[int, Command] = {
    0x00: Command("COM_SLEEP"),
    0x01: Command("COM_QUIT", None),
    0x02: Command("COM_INIT_DB", word="USE"),
    QUERY: Command("COM_QUERY", executed),
    0x04: Command("COM_FIELD_LIST", fields, word="SHOW"),
    0x05: Command("COM_CREATE_DB"),
    0x06: Command("COM_DROP_DB"),
    0x07: Command("COM_REFRESH", word="FLUSH"),
    0x08: Command("COM_SHUTDOWN"),
    0x09: Command("COM_STATISTICS", string, question=False, word="SHOW"),
    0x0A: Command("COM_PROCESS_INFO", executed, word="SHOW"),
    0x0C: Command("COM_PROCESS_KILL", word="KILL"),
    0x0D: Command("COM_DEBUG"),
    0x0E: Command("COM_PING", question=False),
    0x11: Command("COM_CHANGE_USER", change_user),
    0x12: Command("COM_BINLOG_DUMP"),
    0x15: Command("COM_REGISTER_SLAVE"),
    PREPARE: Command("COM_STMT_PREPARE", prepared, question=False),
    EXECUTE: Command("COM_STMT_EXECUTE", executed),
    LONG_DATA: Command("COM_STMT_SEND_LONG_DATA", None),
    CLOSE: Command("COM_STMT_CLOSE", None, question=False),
    RESET: Command("COM_STMT_RESET", question=False),
    0x1B: Command("COM_SET_OPTION", word="SET"),
    FETCH: Command("COM_STMT_FETCH", fetched),
    0x1E: Command("COM_BINLOG_DUMP_GTID"),
    0x1F: Command("COM_RESET_CONNECTION", reset),
    BULK: Command("COM_STMT_BULK_EXECUTE", executed),
}


def command(code: int) -> Command:
    """The command of this number; an unknown one is answered with an error."""
    return COMMANDS.get(code) or Command(f"COM_{code:#04x}")
