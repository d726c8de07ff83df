"""JSON Lines, line by line: what is a record, where it stands, and what is refused before SQL sees it."""

from __future__ import annotations

import json
import random

import pytest

from sluice.reading import ReadCount, Tally, lines, original_bytes
from sluice.reading.json_lines import read_json_lines
from sluice.reading.record_batches import BATCH_RECORDS
from tests.sluice.reading.reader import JSONL, read


@pytest.mark.parametrize(
    ("content", "records"),
    [
        pytest.param(b"", [], id="an empty object has no records"),
        pytest.param(b'{"a":1}\n{"a":2}\n', [(1, '{"a":1}'), (2, '{"a":2}')], id="one record a line"),
        pytest.param(b'{"a":1}\n{"a":2}', [(1, '{"a":1}'), (2, '{"a":2}')], id="the last newline may be missing"),
        pytest.param(b'{"a":1}\r\n{"a":2}\r\n', [(1, '{"a":1}'), (2, '{"a":2}')], id="CRLF ends a line"),
        pytest.param(b'{"a":1}\r\n{"a":2}\n', [(1, '{"a":1}'), (2, '{"a":2}')], id="mixed line ends"),
        pytest.param(b'{"a":1}\r{"a":2}\n', [(1, '{"a":1}\r{"a":2}')], id="CR alone ends nothing"),
        pytest.param(b'{"a":1}\r\r\n', [(1, '{"a":1}\r')], id="only one CR belongs to the line end"),
        pytest.param(b'\n\n{"a":1}\n\n', [(3, '{"a":1}')], id="blank lines count as lines, not as records"),
        pytest.param(b' \t\r\n{"a":1}\n  ', [(2, '{"a":1}')], id="spaces alone are blank"),
        pytest.param(b"\r\n\r\n", [], id="only line ends"),
        pytest.param(b'\xef\xbb\xbf{"a":1}\n', [(1, '{"a":1}')], id="a UTF-8 mark is skipped"),
        pytest.param(b"\xef\xbb\xbf", [], id="nothing but a mark"),
        pytest.param(b'  {"a":1}  \n', [(1, '  {"a":1}  ')], id="spaces around a record stay"),
        pytest.param(b'{"a":"\x00"}\n', [(1, '{"a":"\x00"}')], id="NUL is passed on"),
        pytest.param(b"\x0c\n", [(1, "\x0c")], id="a form feed is no JSON space, so the line is a record"),
        pytest.param('{"ключ":"日本"}\n'.encode(), [(1, '{"ключ":"日本"}')], id="UTF-8 beyond ASCII"),
        pytest.param(b"1\n22\n", [(1, "1"), (2, "22")], id="texts shorter than a view's prefix"),
        pytest.param(b"123456789012\n1234567890123\n", [(1, "123456789012"), (2, "1234567890123")], id="inline border"),
    ],
)
def test_lines_become_records(content: bytes, records: list[tuple[int, str]]) -> None:
    found = read(content)

    assert (found.records, found.rejected, found.unreadable) == (records, [], None)
    assert found.counted == len(records)


def test_only_the_lines_that_are_not_utf8_are_rejected() -> None:
    found = read(b'{"a":1}\n{"a":"\xff"}\r\n{"a":"\xed\xa0\x80"}\n{"a":2}\n')

    assert found.records == [(1, '{"a":1}'), (4, '{"a":2}')]
    assert found.codes == [(2, "invalid_utf8"), (3, "invalid_utf8")]
    assert found.rejected[0].raw == b'{"a":"\xff"}'
    assert found.rejected[0].detail == "byte 0xff at position 7 is not utf-8"
    assert found.counted == 4


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"], ids=bytes.hex)
def test_a_mark_of_another_encoding_makes_the_object_unreadable(mark: bytes) -> None:
    found = read(mark + b"{\x00}\x00\n\x00")

    assert found.damage == "not_utf8"
    assert found.records == []


@pytest.mark.parametrize("line", [b'{"a":1,}', b'{"a":[1,\t]}', b'{"a":NaN}', b'{"a":-infinity}'], ids=repr)
def test_what_only_lenient_parsers_take_is_rejected_with_its_bytes(line: bytes) -> None:
    found = read(b'{"a":1}\n' + line + b'\r\n{"a":2}')

    assert found.records == [(1, '{"a":1}'), (3, '{"a":2}')]
    assert found.codes == [(2, "malformed_json")]
    assert found.rejected[0].raw == line
    assert found.counted == 3


def test_a_record_may_be_larger_than_many_blocks() -> None:
    large = json.dumps({"a": "x" * (17 << 20)})

    found = read(f'{{"a":1}}\n{large}\n{{"a":2}}\n'.encode())

    assert [(line_no, len(text)) for line_no, text in found.records] == [(1, 7), (2, len(large)), (3, 7)]


def test_a_record_at_the_limit_is_read_and_one_byte_more_is_rejected() -> None:
    limit = lines.MAX_LINE_BYTES
    content = b"1\n" + b"2" * limit + b"\n3\n" + b"4" * (limit + 1) + b"\r\n5\n"

    found = read(content)

    assert [(line_no, len(text)) for line_no, text in found.records] == [(1, 1), (2, limit), (3, 1), (5, 1)]
    assert found.codes == [(4, "record_too_long")]
    assert found.rejected[0].raw == b"4" * lines.KEPT_OF_LONG_LINE_BYTES
    assert found.rejected[0].detail.startswith("67,108,865 bytes, 67,108,864 are allowed")
    assert found.counted == 5


def test_a_record_far_over_the_limit_is_passed_over() -> None:
    found = read(b"1\n" + b"x" * (3 * lines.MAX_LINE_BYTES // 2) + b"\n3\n")

    assert found.records == [(1, "1"), (3, "3")]
    assert found.codes == [(2, "record_too_long")]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_lines_keep_their_numbers_across_blocks(ending: bytes) -> None:
    rng = random.Random(1)
    texts = ["" if rng.random() < 0.1 else "x" * rng.choice([1, 3, 11, 12, 13, 300, 70_000]) for _ in range(400)]

    found = read(ending.join(text.encode() for text in texts))

    assert found.records == [(number, text) for number, text in enumerate(texts, start=1) if text]


@pytest.mark.parametrize(
    ("line", "times", "most"), [(b"\xff\n", 50_000, BATCH_RECORDS), (b"x" * lines.MAX_LINE_BYTES + b"x\n", 2, 1)]
)
def test_an_object_of_rejects_only_still_gives_its_consumer_a_turn(line: bytes, times: int, most: int) -> None:
    tally = Tally(counts={0: ReadCount()})

    rejected = [emptied(tally) for batch in read_json_lines(0, [line] * times, tally) if not batch.num_rows]

    assert sum(rejected) == tally.counts[0].records == times
    assert max(rejected) <= most


def emptied(tally: Tally) -> int:
    count = len(tally.rejected)
    tally.rejected.clear()
    return count


def test_original_bytes_come_back() -> None:
    assert original_bytes('{"a":"ü"}', JSONL) == '{"a":"ü"}'.encode()


@pytest.mark.parametrize("last", [b"1", b'"d"', b'{"id": 4, "v": 4}'], ids=["one byte", "three bytes", "long"])
def test_texts_are_whole_arrow_views(last: bytes) -> None:
    """Arrow compares texts by the copy of their first bytes that a view holds."""
    lines_read = [b'{"id": 1, "v": 1}', b"12", b'{"id": 3, "v": 3}', last]

    (batch,) = read_json_lines(0, [b"\n".join(lines_read) + b"\n"], Tally(counts={0: ReadCount()}))

    batch.validate(full=True)
    assert batch.column(2).to_pylist() == [line.decode() for line in lines_read]
