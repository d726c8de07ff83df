"""Which texts count as JSON: exactly those of RFC 8259, judged by the reader and DuckDB's json_valid together."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sluice.strict_json import is_strict_json
from tests.sluice.reading.reader import read

if TYPE_CHECKING:
    from collections.abc import Iterator

VALID = {
    # values on their own
    "an object": b"{}",
    "an array": b"[]",
    "a string": b'""',
    "an integer": b"0",
    "true": b"true",
    "false": b"false",
    "null": b"null",
    # white space
    "spaces everywhere": b' { "a" : [ 1 , 2 ] , "b" : { } } ',
    "tabs": b'\t{\t"a"\t:\t1\t}\t',
    "carriage returns": b'\r{\r"a"\r:\r1\r}',
    "spaces inside empty brackets": b"[ [ ] , { } ]",
    "spaces before the end": b'{"a": 1 }',
    "many spaces before the end": b"[1" + b" " * 200 + b"]",
    # objects and arrays
    "an empty name": b'{"":0}',
    "a doubled name": b'{"a":1,"a":2}',
    "names that differ in case": b'{"a":1,"A":2}',
    "a name with an escape": b'{"\\u0061":1}',
    "an object in an array": b'[{"a":[{"b":[]}]}]',
    "an array of every type": b'[null,true,false,0,1.5,"",[],{}]',
    "nesting of 500": b"[" * 500 + b"]" * 500,
    "nesting of 100,000 arrays": b"[" * 100_000 + b"]" * 100_000,
    "nesting of 50,000 objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    # numbers
    "minus zero": b"-0",
    "a negative integer": b"-12",
    "a fraction": b"0.5",
    "a fraction with zeros at its end": b"1.500",
    "an exponent": b"1e5",
    "an upper case exponent": b"1E5",
    "a signed exponent": b"[1e+5,1e-5,1E+5,1E-5]",
    "an exponent with leading zeros": b"1e007",
    "a fraction with exponent": b"-1.25e-3",
    "zero with an exponent": b"0e10",
    "a number beyond 64 bits": b"123456789012345678901234567890",
    "a number of 1,000 digits": b"1" + b"0" * 999,
    "a fraction of 1,000 digits": b"0." + b"3" * 1_000,
    "a number too large for a double": b"1e400",
    "a number too small for a double": b"1e-400",
    "a negative number too large for a double": b"-1e99999",
    # strings
    "every short escape": rb'"\"\\\/\b\f\n\r\t"',
    "an escape in hex": rb'"\u00e9"',
    "an escape in upper case hex": rb'"\u00E9\uABCD"',
    "an escaped NUL": rb'"\u0000"',
    "an escaped control character": rb'"\u001f"',
    "an escaped pair": rb'"\ud83d\ude00"',
    "an escaped pair in upper case": rb'"\uD83D\uDE00"',
    "two escaped pairs": rb'"\ud800\udc00\udbff\udfff"',
    "an escaped noncharacter": rb'"\uffff\ufffe"',
    "an escaped byte order mark": rb'"\ufeff"',
    "an escaped backslash before u": rb'"\\ud800"',
    "two byte UTF-8": '"é"'.encode(),
    "three byte UTF-8": '"€"'.encode(),
    "four byte UTF-8": '"😀"'.encode(),
    "the last code point": '"\U0010ffff"'.encode(),
    "a noncharacter": '"\uffff"'.encode(),
    "a line separator": '"\u2028\u2029"'.encode(),
    "a byte order mark inside": '"\ufeff"'.encode(),
    "DEL": b'"\x7f"',
    "C1 controls": '"\u0080\u009f"'.encode(),
    "a slash": b'"/"',
    "brackets in a string": b'"]}[{,:"',
    "a string of a megabyte": b'"' + b"x" * (1 << 20) + b'"',
    # texts that look like what DuckDB wrongly takes
    "a comma before a bracket in a string": b'{"a":"1,]","b":",}"}',
    "a comma, spaces and a bracket in a string": b'["a , ]"]',
    "NaN in a string": b'{"a":"x: NaN, y"}',
    "inf in a string": b'{"a":"[inf, -inf]"}',
    "infinity as a name": b'{"infinity":{"nan":1}}',
    "words that start with inf": b'["see info , inferno"]',
    "infinite and infinity": b'{"a":"an infinite, an infinity, "}',
    "nan after an escaped quote": rb'["\",nan,\""]',
}

INVALID = {
    # nothing, or too much
    "two values": b"1 2",
    "two objects": b"{}{}",
    "two arrays": b"[][]",
    "a comma after the value": b"{},",
    "a closing bracket too many": b"[]]",
    "a closing brace too many": b"{}}",
    "text after the value": b"{} x",
    "a comment after the value": b"{} // x",
    "a block comment": b"[1,/* x */2]",
    "a hash comment": b"{} # x",
    # white space that is none
    "a form feed": b"[\x0c1]",
    "a vertical tab": b"[\x0b1]",
    "a no-break space": "[\u00a01]".encode(),
    "a word joiner": "[\u20601]".encode(),
    "a NUL after the value": b"{}\x00",
    "a second byte order mark": b"\xef\xbb\xbf\xef\xbb\xbf{}",
    "an escaped space between tokens": rb"[\u0020 1]",
    # arrays
    "an open array": b"[1",
    "an open array after a comma": b"[1,",
    "only an opening bracket": b"[",
    "only a closing bracket": b"]",
    "a comma at the end of an array": b"[1,]",
    "a comma, a space, the end": b"[1, ]",
    "a space, a comma, the end": b"[1 ,]",
    "a comma and many spaces": b"[1," + b" " * 200 + b"]",
    "a comma and a tab": b"[1,\t]",
    "a comma at the end of an inner array": b"[[1,],2]",
    "a lone comma": b"[,]",
    "a comma first": b"[,1]",
    "two commas": b"[1,,2]",
    "no comma": b"[1 2]",
    "a colon in an array": b"[1:2]",
    "an array closed by a brace": b"[1}",
    "crossed brackets": b"[{]}",
    # objects
    "an open object": b'{"a":1',
    "only an opening brace": b"{",
    "only a closing brace": b"}",
    "a name alone": b'{"a"}',
    "a name and a colon": b'{"a":}',
    "no colon": b'{"a" 1}',
    "a comma for a colon": b'{"a",1}',
    "two colons": b'{"a"::1}',
    "a name without quotes": b"{a:1}",
    "a name in single quotes": b"{'a':1}",
    "a number as name": b"{1:1}",
    "null as name": b"{null:1}",
    "an object as name": b"{{}:1}",
    "a comma at the end of an object": b'{"a":1,}',
    "a comma, a space, the end of an object": b'{"a":1, }',
    "a space, a comma, a space, the end of an object": b'{"a":1 , }',
    "a comma and a carriage return": b'{"a":1,\r}',
    "a comma at the end of an inner object": b'[{"a":{"b":1,}}]',
    "a comma first in an object": b'{,"a":1}',
    "a lone comma in an object": b"{,}",
    "two commas in an object": b'{"a":1,,"b":2}',
    "a value too many": b'{"a":1 2}',
    "an object closed by a bracket": b'{"a":1]',
    # literals
    "True": b"True",
    "NULL": b"NULL",
    "a cut literal": b"tru",
    "a long literal": b"nulll",
    "undefined": b'{"a":undefined}',
    "NaN": b'{"a":NaN}',
    "nan": b'{"a": nan}',
    "NAN in an array": b"[NAN]",
    "-NaN": b"[-NaN]",
    "NaN on its own": b"NaN",
    "nan after spaces": b"  nan  ",
    "nan after a comma": b"[1,nan]",
    "Infinity": b'{"a":Infinity}',
    "-Infinity": b'{"a":-Infinity}',
    "infinity": b"[1, infinity ]",
    "Inf": b"[Inf]",
    "-inf": b"[1,-inf,2]",
    "inf on its own": b"inf",
    "-INFINITY on its own": b"-INFINITY",
    "+Infinity": b"[+Infinity]",
    "inf, and a y where that of infinity would be": b'[inf,"xxy"]',
    "infinity, and more": b"[infinity, 1]",
    # numbers
    "a leading zero": b"[01]",
    "a negative leading zero": b"[-01]",
    "two zeros": b"[00]",
    "a plus sign": b"[+1]",
    "only a minus": b"[-]",
    "two minuses": b"[--1]",
    "a minus and a space": b"[- 1]",
    "no digit before the point": b"[.5]",
    "no digit after the point": b"[1.]",
    "no digit between point and exponent": b"[1.e5]",
    "an exponent without digits": b"[1e]",
    "a signed exponent without digits": b"[1e+]",
    "an exponent with a fraction": b"[1e5.5]",
    "two points": b"[1.2.3]",
    "hexadecimal": b"[0x1F]",
    "octal": b"[0o17]",
    "an underscore": b"[1_000]",
    "a thousands separator": b"[1'000]",
    "a space in a number": b"[1 000]",
    "a decimal comma with nothing after it": b"[1,e5]",
    "a letter after a number": b"[12a]",
    "full width digits": "[\uff11]".encode(),
    # strings
    "an open string": b'"a',
    "a string that ends with an escape": b'"\\"',
    "a lone quote": b'"',
    "single quotes": b"['a']",
    "back quotes": b"[`a`]",
    "a raw tab": b'"\t"',
    "a raw NUL": b'"\x00"',
    "a raw control character": b'"\x1f"',
    "a raw carriage return": b'"a\rb"',
    "an unknown escape": rb'"\x41"',
    "an escaped a": rb'"\a"',
    "an escaped single quote": rb'"\'"',
    "an escape of three digits": rb'"\u00e"',
    "an escape with a letter too far": rb'"\u00g0"',
    "an upper case U": rb'"\U0041"',
    "an escape cut by the end": rb'"\u00',
    "a lone high surrogate": rb'"\ud800"',
    "a lone low surrogate": rb'"\udc00"',
    "a swapped pair": rb'"\ude00\ud83d"',
    "two high surrogates": rb'"\ud800\ud800"',
    "a high surrogate before a letter": rb'"\ud83dx"',
    "a high surrogate before another escape": rb'"\ud83d\n"',
    "a lone surrogate in a name": rb'{"\udfff":1}',
    # bytes that are not UTF-8
    "a lone continuation byte": b'"\x80"',
    "a cut sequence": b'"\xc3"',
    "a cut sequence of three": b'"\xe2\x82"',
    "an overlong slash": b'"\xc0\xaf"',
    "an overlong NUL": b'"\xe0\x80\x80"',
    "a raw surrogate": b'"\xed\xa0\x80"',
    "a code point beyond the last": b'"\xf4\x90\x80\x80"',
    "a byte that never occurs": b'"\xff"',
    "Latin-1": b'"\xe9"',
    "a bad byte outside a string": b"[1\xff]",
}


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def is_taken(line: bytes, duck: duckdb.DuckDBPyConnection) -> bool:
    found = read(line + b"\n")
    rows = duck.execute("SELECT json_valid(line) FROM (SELECT unnest(?) AS line)", [found.lines]).fetchall()
    return rows == [(True,)]


@pytest.mark.parametrize("line", VALID.values(), ids=VALID)
def test_valid_json_is_taken(line: bytes, duck: duckdb.DuckDBPyConnection) -> None:
    assert is_taken(line, duck)
    assert is_strict_json(line)


@pytest.mark.parametrize("line", INVALID.values(), ids=INVALID)
def test_invalid_json_is_refused(line: bytes, duck: duckdb.DuckDBPyConnection) -> None:
    assert not is_taken(line, duck)
    assert not is_strict_json(line)


def test_the_table_is_large_enough_to_mean_something() -> None:
    assert len(VALID) + len(INVALID) >= 120


@pytest.mark.parametrize("text", ["", " ", "\ud800", '"\ud800"', "\ufeff{}"], ids=ascii)
def test_text_that_is_no_json_at_all(text: str) -> None:
    assert not is_strict_json(text)


NEWLINE = 0x0A
TEMPTATIONS = [b",", b" , ", b"NaN", b"-inf", b"Infinity", b"nan,", b",]", b", }", b"\\ud800", b"/**/", b"+1", b"0x1"]
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SPACES = st.sampled_from(["", " ", "  ", "\t", " \r "])


@st.composite
def json_lines(draw: st.DrawFn) -> bytes:
    """JSON in any spacing, as one line."""
    text = json.dumps(
        draw(DOCUMENTS),
        ensure_ascii=draw(st.booleans()),
        separators=(draw(SPACES) + "," + draw(SPACES), draw(SPACES) + ":" + draw(SPACES)),
    )
    # Lone surrogates have no UTF-8 form: Python writes them, nobody may.
    return text.encode("utf-8", "replace") if is_encodable(text) else b"null"


def is_encodable(text: str) -> bool:
    return not re.search(r"\\ud[89a-f]|[\ud800-\udfff]", text)


def is_json_to_python(line: bytes) -> bool:
    try:
        value = json.loads(line.decode(), parse_constant=_refuse, parse_int=str, parse_float=str)
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


def _refuse(name: str) -> Any:
    raise ValueError(name)


@given(line=json_lines())
@settings(max_examples=100, deadline=None)
def test_whatever_python_writes_is_taken(line: bytes, duck: duckdb.DuckDBPyConnection) -> None:
    assert is_taken(line, duck)


@given(line=json_lines(), place=st.integers(0, 200), byte=st.integers(0, 255).filter(lambda byte: byte != NEWLINE))
@settings(max_examples=250, deadline=None)
@example(line=b"[1,2]", place=3, byte=ord(" "))
def test_one_changed_byte_is_judged_as_strictly_as_python_does(
    line: bytes, place: int, byte: int, duck: duckdb.DuckDBPyConnection
) -> None:
    at = place % len(line)
    changed = line[:at] + bytes([byte]) + line[at + 1 :]

    expected = is_json_to_python(changed)

    assert is_taken(changed, duck) == expected
    assert is_strict_json(changed) == expected


@given(line=json_lines(), place=st.integers(0, 200), extra=st.sampled_from(TEMPTATIONS))
@settings(max_examples=150, deadline=None)
def test_what_lenient_parsers_add_is_judged_as_strictly_as_python_does(
    line: bytes, place: int, extra: bytes, duck: duckdb.DuckDBPyConnection
) -> None:
    at = place % (len(line) + 1)
    changed = line[:at] + extra + line[at:]

    expected = is_json_to_python(changed)

    assert is_taken(changed, duck) == expected
    assert is_strict_json(changed) == expected
