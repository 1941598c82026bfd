"""The tally: what passes is summed stretch by stretch, and no round trip is lost between them."""

import random
from dataclasses import fields, replace

from postgresql_tap import SYNC, Bytes, Tap, bind, close, execute, parse, query

from ormbench.wire.message import Message
from ormbench.wire.tally import Account, Tally
from ormbench.wire.transcript import FIRST, LAST, LONGEST_TEXT, Transcript

QUERY = Message(side="client", kind="Query", size=20, text="SELECT 1", asks=True)
DATA = Message(side="server", kind="DataRow", size=30)
DONE = Message(side="server", kind="CommandComplete", size=15, statement="SELECT", rows=1)
READY = Message(side="server", kind="ReadyForQuery", size=6, text="I", begun=1)


def passed(account, key, *messages):
    """Each message in a piece of its own."""
    for message in messages:
        account.passed(key, message.side, message.size, [message])


def transcript_of(messages):
    transcript = Transcript()
    for message in messages:
        transcript.add(message)
    return transcript.lines()


def test_a_tally_sums_what_passed():
    account = Account()
    passed(account, account.opened(), QUERY, DATA, DONE, READY)
    tally, _ = account.take()
    assert tally == Tally(
        round_trips=1,
        requests=1,
        messages=1,
        sent=20,
        received=51,
        connections=1,
        transactions=1,
        statements={"SELECT": 1},
        rows={"SELECT": 1},
    )


def test_every_count_of_a_message_reaches_the_tally():
    account = Account()
    packet = Message(side="client", kind="COM_QUERY", size=9, asks=True, question=True)
    answer = Message(side="server", kind="OK", size=7, statement="UPDATE", rows=3, begun=2)
    answer = replace(answer, prepared=5, unprepared=6)
    passed(account, account.opened(), packet, answer)
    tally, _ = account.take()
    assert (tally.prepared, tally.unprepared) == (5, 6)
    assert all(getattr(tally, one.name) for one in fields(Tally))
    assert (tally.questions, tally.transactions, tally.rows) == (1, 2, {"UPDATE": 3})


def test_a_statement_that_the_server_counts_for_each_row_is_tallied_so():
    account = Account()
    bulk = Message(side="server", kind="OK", size=7, statement="UPDATE", rows=500, times=500)
    passed(account, account.opened(), bulk)
    tally, _ = account.take()
    assert (tally.statements, tally.rows) == ({"UPDATE": 500}, {"UPDATE": 500})


def test_a_stretch_starts_from_nothing():
    account = Account()
    passed(account, account.opened(), QUERY, READY)
    account.take()
    assert account.take() == (Tally(), ())


def test_an_answer_in_pieces_is_one_round_trip():
    account = Account()
    key = account.opened()
    account.passed(key, "client", 10, [])
    account.passed(key, "client", 10, [QUERY])
    for _ in range(3):
        account.passed(key, "server", 17, [])
    assert account.take()[0].round_trips == 1


def test_what_is_sent_before_the_answer_shares_its_round_trip():
    account = Account()
    passed(account, account.opened(), QUERY, QUERY, QUERY, READY, READY, READY, QUERY, READY)
    tally, _ = account.take()
    assert (tally.round_trips, tally.requests) == (2, 4)


def test_an_unanswered_message_is_no_round_trip_and_takes_none_from_the_next_stretch():
    account = Account()
    key = account.opened()
    passed(account, key, QUERY, READY, Message(side="client", kind="Close", size=7))
    assert account.take()[0].round_trips == 1
    passed(account, key, QUERY, READY)
    assert account.take()[0].round_trips == 1


def test_an_answer_counts_in_the_stretch_in_which_it_arrives():
    account = Account()
    key = account.opened()
    passed(account, key, QUERY)
    assert account.take()[0].round_trips == 0
    passed(account, key, READY)
    assert account.take()[0].round_trips == 1


def test_what_a_server_says_unasked_is_no_round_trip():
    account = Account()
    passed(account, account.opened(), READY, READY)
    account.passed(1, "client", 0, [])
    passed(account, 1, READY)
    assert account.take()[0].round_trips == 0


def test_connections_are_told_apart():
    account = Account()
    one, two = account.opened(), account.opened()
    passed(account, one, QUERY)
    passed(account, two, QUERY, READY)
    passed(account, one, READY)
    tally, _ = account.take()
    assert (tally.round_trips, tally.connections) == (2, 2)


def test_the_round_trips_of_connections_do_not_depend_on_how_they_interleave():
    chance = random.Random(7)
    for _ in range(50):
        account = Account()
        waiting = {account.opened(): [QUERY, QUERY, READY, READY] * 3 for _ in range(4)}
        while waiting:
            key = chance.choice(sorted(waiting))
            passed(account, key, waiting[key].pop(0))
            waiting = {key: left for key, left in waiting.items() if left}
        assert account.take()[0].round_trips == 12


def test_a_closed_connection_owes_no_answer():
    account = Account()
    key = account.opened()
    passed(account, key, QUERY)
    account.closed(key)
    account.closed(key)
    passed(account, key, READY)
    assert account.take()[0].round_trips == 0


def test_the_first_reason_for_which_messages_are_lost_stays():
    account = Account()
    assert account.lost == ""
    account.lose("the connection is encrypted")
    account.lose("another reason")
    account.take()
    assert account.lost == "the connection is encrypted"


def test_a_tally_survives_json():
    account = Account()
    passed(account, account.opened(), QUERY, DATA, DONE, READY)
    tally, _ = account.take()
    assert Tally(**tally.to_json()) == tally


def test_a_transcript_has_a_line_for_each_message():
    lines = transcript_of([QUERY, DATA, DONE, READY])
    assert [(one.side, one.kind, one.size, one.text) for one in lines] == [
        ("client", "Query", 20, "SELECT 1"),
        ("server", "DataRow", 30, ""),
        ("server", "CommandComplete", 15, ""),
        ("server", "ReadyForQuery", 6, "I"),
    ]


def test_equal_messages_without_text_share_a_line():
    lines = transcript_of([QUERY, *[DATA] * 100, READY, READY, DATA])
    assert [(one.kind, one.size) for one in lines] == [
        ("Query", 20),
        ("DataRow x100", 3_000),
        ("ReadyForQuery", 6),
        ("ReadyForQuery", 6),
        ("DataRow", 30),
    ]


def test_messages_of_the_two_sides_never_share_a_line():
    sent = Message(side="client", kind="CopyData", size=5)
    got = Message(side="server", kind="CopyData", size=7)
    lines = transcript_of([sent, sent, got, got])
    assert [(one.side, one.kind, one.size) for one in lines] == [
        ("client", "CopyData x2", 10),
        ("server", "CopyData x2", 14),
    ]


def test_a_long_text_is_shortened():
    (line,) = transcript_of([Message(side="client", kind="Query", size=9_000, text="x" * 9_000)])
    assert len(line.text) == LONGEST_TEXT
    assert line.text.endswith("x...")


def test_a_long_transcript_keeps_its_start_and_its_end_and_says_what_is_left_out():
    talk = [
        Message(side=side, kind=kind, size=size, text=str(turn))
        for turn in range(500)
        for side, kind, size in (("client", "Query", 10), ("server", "ReadyForQuery", 6))
    ]
    lines = transcript_of(talk)
    assert len(lines) == FIRST + LAST + 2 == 200
    assert [one.text for one in lines[:FIRST]] == [one.text for one in talk[:FIRST]]
    assert [one.text for one in lines[-LAST:]] == [one.text for one in talk[-LAST:]]
    gap = {one.side: one for one in lines if one.kind == "..."}
    assert sum(one.size for one in lines) == sum(one.size for one in talk)
    assert gap["client"].text == f"{(1_000 - FIRST - LAST) // 2} messages left out"


def test_a_run_that_is_left_out_later_grows_to_its_whole_size_first():
    talk = [*[QUERY] * (FIRST + LAST), *[DATA] * 1_000, *[QUERY] * LAST]
    lines = transcript_of(talk)
    assert sum(one.size for one in lines) == sum(one.size for one in talk)
    assert any(one.text == "1000 messages left out" for one in lines)


async def test_each_operation_on_a_real_server_gets_its_own_tally(server):
    """An unanswered Close at the end of an operation, as drivers send it, changes nothing."""
    tap = Tap()
    address = await tap.open(server.address)
    prepared = parse("SELECT generate_series(1, 3)", "p")
    try:
        async with Bytes(address) as client:
            login, _ = tap.account.take()
            await client.send(prepared, bind("p"), execute(), SYNC, close("S", "q"))
            first, _ = tap.account.take()
            await client.send(query("SELECT 1"), query("BEGIN; ROLLBACK"), ready=2)
            second, lines = tap.account.take()
    finally:
        await tap.close()
    assert (login.connections, login.round_trips, login.transactions) == (1, 1, 0)
    assert (first.round_trips, first.requests, first.transactions) == (1, 1, 1)
    assert (first.statements, first.rows) == ({"SELECT": 1}, {"SELECT": 3})
    assert (second.round_trips, second.requests, second.transactions) == (1, 2, 2)
    assert second.statements == {"BEGIN": 1, "ROLLBACK": 1, "SELECT": 1}
    assert [one.text for one in lines if one.side == "client"][-2:] == [
        "SELECT 1",
        "BEGIN; ROLLBACK",
    ]
