"""CSV, record by record: where records begin and end, what is refused, and that a bad quote costs its own line only."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.contract import CsvDialect
from sluice.reading import ReadCount, Tally, original_bytes
from sluice.reading.csv_quotes import MAX_BYTES, MAX_LINES
from sluice.reading.csv_records import read_csv_records
from tests.sluice.reading.reader import NUMBER, csv, cut, read

PLAIN = csv(header=False)


@pytest.mark.parametrize(
    ("content", "records"),
    [
        pytest.param(b"", [], id="an empty object has no records"),
        pytest.param(b"1,a\n2,b\n", [(1, "1,a"), (2, "2,b")], id="one record a line"),
        pytest.param(b"1,a\n2,b", [(1, "1,a"), (2, "2,b")], id="the last line end may be missing"),
        pytest.param(b"1,a\r\n2,b\r\n", [(1, "1,a"), (2, "2,b")], id="CRLF"),
        pytest.param(b"1,a\r2,b\r", [(1, "1,a"), (2, "2,b")], id="CR alone"),
        pytest.param(b"1\r\n2\n3\r4\n\r5", [(1, "1"), (2, "2"), (3, "3"), (4, "4"), (6, "5")], id="all mixed"),
        pytest.param(b"\n1,a\n\n\n2,b\n\n", [(2, "1,a"), (5, "2,b")], id="empty lines are no records"),
        pytest.param(b" \n1\n", [(1, " "), (2, "1")], id="a line of spaces is a record"),
        pytest.param(b",,\n", [(1, ",,")], id="empty fields are fields"),
        pytest.param(b'"a,b",1\n', [(1, '"a,b",1')], id="a delimiter inside quotes"),
        pytest.param(b'"a\nb",1\n2\n', [(1, '"a\nb",1'), (3, "2")], id="a line end inside quotes"),
        pytest.param(b'"a\r\nb\rc",1\r\n2', [(1, '"a\r\nb\rc",1'), (4, "2")], id="every line end inside quotes"),
        pytest.param(b'"\n\n\n"\n2', [(1, '"\n\n\n"'), (5, "2")], id="empty lines inside quotes"),
        pytest.param(b'"a""b","","""",""""""\n', [(1, '"a""b","","""",""""""')], id="doubled quotes"),
        pytest.param(b'"a"\n"b"', [(1, '"a"'), (2, '"b"')], id="quotes at both ends of the object"),
        pytest.param(b"\xef\xbb\xbf1,a\n", [(1, "1,a")], id="a UTF-8 mark is skipped"),
        pytest.param("é,日本\n".encode(), [(1, "é,日本")], id="UTF-8 beyond ASCII"),
        pytest.param(b"a\x00b\n", [(1, "a\x00b")], id="NUL is passed on"),
    ],
)
def test_lines_become_records(content: bytes, records: list[tuple[int, str]]) -> None:
    found = read(content, PLAIN)

    assert (found.records, found.unreadable, found.header) == (records, None, None)
    assert found.counted == len(records) + len(found.rejected)


@pytest.mark.parametrize(
    ("content", "records", "rejected"),
    [
        pytest.param(b'a"b\n2\n', [(2, "2")], [(1, "bad_quoting", b'a"b')], id="a quote inside a plain field"),
        pytest.param(b'1,"a"b\r\n2', [(2, "2")], [(1, "bad_quoting", b'1,"a"b')], id="text after a closing quote"),
        pytest.param(b'1, "a"\n2', [(2, "2")], [(1, "bad_quoting", b'1, "a"')], id="a space before a quote"),
        pytest.param(b'1,"a" \n2', [(2, "2")], [(1, "bad_quoting", b'1,"a" ')], id="a space after a quote"),
        pytest.param(b'1,"\n2,b\n', [(2, "2,b")], [(1, "unclosed_quote", b'1,"')], id="never closed"),
        pytest.param(
            b'1,"a\n2,"b"\n3,c\n',
            [(2, '2,"b"'), (3, "3,c")],
            [(1, "bad_quoting", b'1,"a')],
            id="closed by the next quote",
        ),
        pytest.param(
            b'"a\nb"c\n"d"\n',
            [(3, '"d"')],
            [(1, "bad_quoting", b'"a'), (2, "bad_quoting", b'b"c')],
            id="each line of a bad record counts",
        ),
        pytest.param(b'1\n2,"a', [(1, "1")], [(2, "unclosed_quote", b'2,"a')], id="never closed, at the end"),
        pytest.param(b'1,"\n2,"\n', [(1, '1,"\n2,"')], [], id="two stray quotes make one record"),
    ],
)
def test_a_bad_quote_costs_its_own_line_only(
    content: bytes, records: list[tuple[int, str]], rejected: list[tuple[int, str, bytes]]
) -> None:
    found = read(content, PLAIN)

    assert [(item.line_no, item.code, item.raw) for item in found.rejected] == rejected
    assert found.records == records
    assert found.counted == len(found.records) + len(rejected)


@pytest.mark.parametrize(
    ("lines", "width"), [(MAX_LINES, 3), (4, MAX_BYTES // 4 - 20)], ids=["the most lines", "almost the most bytes"]
)
def test_a_quoted_field_may_be_long(lines: int, width: int) -> None:
    text = '"' + "\n".join(["x" * width] * lines) + '"'

    found = read(f"1\n{text}\n3\n".encode(), PLAIN)

    assert found.lines == ["1", text, "3"]
    assert found.records[-1][0] == lines + 2


@pytest.mark.parametrize(("lines", "width"), [(MAX_LINES + 1, 3), (5, MAX_BYTES // 4)], ids=["lines", "bytes"])
def test_a_quoted_field_that_is_too_long_swallows_nothing(lines: int, width: int) -> None:
    found = read(b'1,"' + b"\n".join([b"x" * width] * lines) + b'"\n3\n', PLAIN)

    assert found.codes == [(1, "unclosed_quote"), (lines, "bad_quoting")]
    assert found.records[-1] == (lines + 1, "3")
    assert found.counted == lines + 1


def test_one_line_may_be_longer_than_what_several_may_be() -> None:
    line = '1,"' + "x" * (2 * MAX_BYTES) + '"'

    assert read(f"{line}\n2,b\n".encode(), PLAIN).lines == [line, "2,b"]


def test_a_quote_without_end_costs_one_record_of_a_large_file() -> None:
    rows = b"".join(b"%d,text\n" % number for number in range(200_000))

    found = read(b'x,"text\n' + rows, PLAIN)

    assert found.codes == [(1, "unclosed_quote")]
    assert (len(found.records), found.counted) == (200_000, 200_001)


def test_quotes_are_ordinary_where_the_dialect_has_none() -> None:
    found = read(b'1,"a\n2,b"c\n', csv(header=False, quote=None))

    assert found.lines == ['1,"a', '2,b"c']


def test_another_dialect() -> None:
    found = read(b"1|'a|b\nc'\n2|\"\n", csv(header=False, delimiter="|", quote="'"))

    assert found.records == [(1, "1|'a|b\nc'"), (3, '2|"')]


@pytest.mark.parametrize(
    ("content", "header", "records"),
    [
        pytest.param(b"a,b\n1,2\n", ("a", "b"), [(2, "1,2")], id="the first line"),
        pytest.param(b"\n\na,b\n1,2\n", ("a", "b"), [(4, "1,2")], id="after empty lines"),
        pytest.param(b"\xef\xbb\xbfa,b\n1,2", ("a", "b"), [(2, "1,2")], id="after a mark"),
        pytest.param(b'"a ""x""","b,\nc"\n1,2', ('a "x"', "b,\nc"), [(3, "1,2")], id="quoted, in two lines"),
        pytest.param(b"a,b\n", ("a", "b"), [], id="a header alone"),
        pytest.param(b"a,b", ("a", "b"), [], id="a header without line end"),
        pytest.param(b" a ,,a\n1,2,3", (" a ", "", "a"), [(2, "1,2,3")], id="names are passed on as they are"),
        pytest.param(b"", None, [], id="an empty object has none"),
        pytest.param(b"\n\r\n", None, [], id="nor have empty lines"),
    ],
)
def test_the_header_names_the_fields(content: bytes, header: tuple[str, ...] | None, records: list[object]) -> None:
    found = read(content, csv())

    assert (found.header, found.records, found.unreadable) == (header, records, None)
    assert found.counted == len(records)


@pytest.mark.parametrize(
    "content", [b'a,"b\n1,2\n', b'a"b\n1\n', b"a,\xff\n1,2\n", b"x" * ((64 << 20) + 1)], ids=lambda raw: repr(raw[:12])
)
def test_without_a_header_that_can_be_read_the_object_cannot_be_used(content: bytes) -> None:
    found = read(content, csv())

    assert found.damage == "bad_header"
    assert found.records == []


def test_the_header_is_known_before_the_first_record() -> None:
    tally = Tally(counts={NUMBER: ReadCount()})

    next(read_csv_records(NUMBER, [b"a,b\n1,2\n"], CsvDialect(), tally, "key"))

    assert tally.headers == {NUMBER: ("a", "b")}


@pytest.mark.parametrize(
    "encoding", ["latin-1", "cp1252", "iso8859-15", "koi8-r", "utf-16", "utf-16-le", "utf-16-be", "gb18030"]
)
def test_other_encodings_become_utf8_and_back(encoding: str) -> None:
    text = 'name,note\n1,"Привет, мир"\n2,x\n' if encoding in {"koi8-r", "gb18030"} else 'name,note\n1,"ü,é"\n2,x\n'
    source = csv(encoding=encoding)

    found = read(text.encode(encoding), source)

    assert "".join(f"{line}\n" for line in [",".join(found.header or ()), *found.lines]) == text
    assert found.counted == 2


@pytest.mark.parametrize(
    "encoding", ["latin-1", "cp1252", "koi8-r", "utf-8", "utf-8-sig", "ascii", "utf-16-be", "cp037"]
)
def test_original_bytes_come_back_in_their_encoding(encoding: str) -> None:
    assert original_bytes("1,x", csv(encoding=encoding)) == "1,x".encode(encoding).removeprefix(b"\xef\xbb\xbf")


def test_a_byte_inside_a_character_is_no_delimiter() -> None:
    content = 'ポ"x"|1\nポ|"x"\n'.encode("shift_jis")
    assert content.startswith(b'\x83|"x"')

    found = read(content, csv(encoding="shift_jis", delimiter="|", header=False))

    assert found.records == [(2, 'ポ|"x"')]
    assert found.codes == [(1, "bad_quoting")]
    assert found.rejected[0].raw == 'ポ"x"|1'.encode("shift_jis")


def test_unmarked_utf16_counts_as_little_endian() -> None:
    assert original_bytes("1", csv(encoding="utf-16")) == b"1\x00"


@pytest.mark.parametrize(
    ("encoding", "code"), [("utf-8", "invalid_utf8"), ("cp1252", "invalid_encoding"), ("ascii", "invalid_encoding")]
)
def test_only_the_lines_that_cannot_be_decoded_are_rejected(encoding: str, code: str) -> None:
    found = read(b"n\n1\n2,\x81\n3\n", csv(encoding=encoding))

    assert found.records == [(2, "1"), (4, "3")]
    assert [(item.line_no, item.code, item.raw) for item in found.rejected] == [(3, code, b"2,\x81")]
    assert found.counted == 3


@pytest.mark.parametrize(
    ("content", "encoding", "code"),
    [
        pytest.param("a\n1\n".encode("utf-16"), "utf-8", "not_utf8", id="UTF-16 for UTF-8"),
        pytest.param("a\n1\n".encode("utf-16"), "cp1252", "encoding_mismatch", id="UTF-16 for cp1252"),
        pytest.param("a\n1\n".encode("utf-8-sig"), "cp1252", "encoding_mismatch", id="marked UTF-8 for cp1252"),
        pytest.param(b"a\x00\n\x00\x00\xd8", "utf-16-le", "invalid_encoding", id="a cut surrogate pair"),
        pytest.param(b"a\x00\n", "utf-16-le", "invalid_encoding", id="half a character"),
        pytest.param(b"a\n\x81\n\xff", "shift_jis", "invalid_encoding", id="bytes that are not Shift-JIS"),
    ],
)
def test_an_encoding_that_cannot_be_true_makes_the_object_unreadable(content: bytes, encoding: str, code: str) -> None:
    assert read(content, csv(encoding=encoding)).damage == code


SOUP = st.lists(st.sampled_from(["a", "b", ",", '"', '""', "\n", "\r\n", "\r", '"a"', ',"']), max_size=30).map("".join)
FIELD = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
RECORD = re.compile(rf"{FIELD}(?:,{FIELD})*(?=\r\n|\n|\r|\Z)")
LINE_END = re.compile(r"\r\n|\n|\r")


def reference(text: str) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Records and rejects by the grammar alone: slow, and short enough to be believed."""
    records: list[tuple[int, str]] = []
    rejected: list[tuple[int, str]] = []
    place, line_no = 0, 1
    while place < len(text):
        match = RECORD.match(text, place)
        found = match[0] if match else LINE_END.split(text[place:])[0]
        (records if match else rejected).extend([(line_no, found)] if found else [])
        place += len(found)
        end = LINE_END.match(text, place)
        place = end.end() if end else place
        line_no += len(LINE_END.findall(found)) + 1
    return records, rejected


@given(text=SOUP, places=st.lists(st.integers(0, 100), max_size=6))
@settings(max_examples=300, deadline=None)
def test_records_are_those_of_the_grammar_wherever_blocks_end(text: str, places: list[int]) -> None:
    tally = Tally(counts={NUMBER: ReadCount()})

    batches = list(read_csv_records(NUMBER, cut(text.encode(), places), CsvDialect(header=False), tally, "key"))

    found = [(row["line_no"], row["line"]) for batch in batches for row in batch.to_pylist()]
    rejected = [(item.line_no, item.raw.decode()) for item in tally.rejected]
    assert (found, rejected) == reference(text)
    assert tally.counts[NUMBER].records == len(found) + len(rejected)
