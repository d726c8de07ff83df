"""Compressed objects are read to their last byte, or named unreadable with what is wrong with them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
import zstandard

from sluice.errors import RawObjectChanged
from sluice.manifest import RawObject
from sluice.reading import RawInput, Tally, read_objects
from sluice.reading.compression import decompressed
from sluice.reading.stored import StoredBytes
from tests.sluice.reading.reader import JSONL, csv, etag, read

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = b"".join(b'{"n":%d}\n' % number for number in range(1000))
GZIP = gzip.compress(TEXT, mtime=0)
ZSTD = zstandard.ZstdCompressor(write_checksum=True).compress(TEXT)
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00note"


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]


def gzip_with_every_header_field() -> bytes:
    header = b"\x1f\x8b\x08\x1e\x00\x00\x00\x00\x00\x03" + b"\x03\x00abc" + b"name\x00" + b"comment\x00"
    header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(TEXT) + packer.flush()
    return header + body + zlib.crc32(TEXT).to_bytes(4, "little") + len(TEXT).to_bytes(4, "little")


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jsonl", TEXT)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT, id="no compression"),
        pytest.param(GZIP, id="gzip"),
        pytest.param(gzip.compress(TEXT[:700]) + gzip.compress(TEXT[700:]), id="gzip in members"),
        pytest.param(gzip.compress(b"") + GZIP + gzip.compress(b""), id="gzip with empty members"),
        pytest.param(GZIP + b"\x00" * 1000, id="gzip padded with zeros"),
        pytest.param(gzip_with_every_header_field(), id="gzip with every header field"),
        pytest.param(ZSTD, id="zstd"),
        pytest.param(zstandard.compress(TEXT[:700]) + zstandard.compress(TEXT[700:]), id="zstd in frames"),
        pytest.param(SKIPPABLE + ZSTD + SKIPPABLE, id="zstd with skippable frames"),
    ],
)
@pytest.mark.parametrize("key", ["x.jsonl", "x.jsonl.gz", "x.jsonl.zst"])
def test_content_decides_and_not_the_name(content: bytes, key: str) -> None:
    found = read(content, key=key)

    assert found.unreadable is None
    assert "".join(f"{line}\n" for line in found.lines).encode() == TEXT


@pytest.mark.parametrize(
    "content", [b"", gzip.compress(b""), zstandard.compress(b""), SKIPPABLE], ids=["none", "gzip", "zstd", "skippable"]
)
def test_nothing_inside_is_no_record_and_no_damage(content: bytes) -> None:
    found = read(content, key="x.gz")

    assert (found.counted, found.unreadable) == (0, None)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(GZIP[:-1], "truncated_gzip", id="gzip without its last byte"),
        pytest.param(GZIP[:-8], "truncated_gzip", id="gzip without its trailer"),
        pytest.param(GZIP[: len(GZIP) // 2], "truncated_gzip", id="half of a gzip"),
        pytest.param(GZIP[:10], "truncated_gzip", id="only the header of a gzip"),
        pytest.param(GZIP[:5], "truncated_gzip", id="half of the header of a gzip"),
        pytest.param(GZIP + GZIP[:40], "truncated_gzip", id="a truncated second member"),
        pytest.param(flipped(GZIP, len(GZIP) // 2), "corrupt_gzip", id="a changed byte in a gzip"),
        pytest.param(flipped(GZIP, len(GZIP) - 8), "corrupt_gzip", id="a wrong checksum in a gzip"),
        pytest.param(flipped(GZIP, len(GZIP) - 1), "corrupt_gzip", id="a wrong length in a gzip"),
        pytest.param(GZIP + b"more", "trailing_garbage", id="something after a gzip"),
        pytest.param(GZIP + b"\x00\x00more", "trailing_garbage", id="something after the padding of a gzip"),
        pytest.param(GZIP + TEXT, "trailing_garbage", id="plain text after a gzip"),
        pytest.param(GZIP + ZSTD, "trailing_garbage", id="zstd after a gzip"),
        pytest.param(ZSTD[:-1], "truncated_zstd", id="zstd without its last byte"),
        pytest.param(ZSTD[:5], "truncated_zstd", id="half of the header of a zstd"),
        pytest.param(ZSTD + ZSTD[:20], "truncated_zstd", id="a truncated second frame"),
        pytest.param(SKIPPABLE[:-1], "truncated_zstd", id="a truncated skippable frame"),
        pytest.param(flipped(ZSTD, len(ZSTD) - 1), "corrupt_zstd", id="a wrong checksum in a zstd"),
        pytest.param(ZSTD + b"m", "trailing_garbage", id="a byte after a zstd"),
        pytest.param(ZSTD + TEXT, "trailing_garbage", id="plain text after a zstd"),
        pytest.param(zipped(), "unsupported_compression", id="zip"),
        pytest.param(bz2.compress(TEXT), "unsupported_compression", id="bzip2"),
        pytest.param(lzma.compress(TEXT), "unsupported_compression", id="xz"),
        pytest.param(b"\x04\x22\x4d\x18\x60", "unsupported_compression", id="lz4"),
        pytest.param(b"Obj\x01\x04\x16", "wrong_format", id="Avro"),
        pytest.param(b"ORC\x08\x03\x10", "wrong_format", id="ORC"),
        pytest.param(b"\x00\x01\x02" + GZIP, "not_compressed", id="binary under a compressed name"),
    ],
)
def test_damage_has_a_name(content: bytes, code: str) -> None:
    found = read(content, key="x.jsonl.gz")

    assert found.damage == code
    assert found.unreadable is not None
    assert found.unreadable.cure.endswith(".")


class Dripping(io.BytesIO):
    """A stream that gives little at a time, as sockets do."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 7))


@pytest.mark.parametrize(
    "content", [gzip_with_every_header_field() * 2, ZSTD * 2, TEXT * 2], ids=["gzip", "zstd", "none"]
)
def test_a_stream_may_give_little_at_a_time(content: bytes) -> None:
    stored = StoredBytes(Dripping(content), RawObject("k", etag(content), len(content)))

    assert b"".join(decompressed(stored)) == TEXT * 2
    assert stored.verify() == etag(content)


def test_text_that_starts_like_another_format_is_text() -> None:
    assert read(b"PAR1,ORC\n1,2\n", csv(), key="x.csv.gz").header == ("PAR1", "ORC")


def test_damage_says_where_the_stream_stops() -> None:
    content = GZIP[:2000]

    found = read(content)

    assert found.unreadable is not None
    assert found.unreadable.detail == (
        f"The gzip stream stops in the middle, at byte 2,000. {found.counted} whole records come before."
    )
    assert 0 < found.counted < 1000


def test_healthy_objects_go_on_after_a_damaged_one() -> None:
    contents = [b'{"n":1}\n', GZIP[:-1], b'{"n":3}\n']
    inputs = [
        RawInput(number, RawObject(str(number), etag(content), len(content))) for number, content in enumerate(contents)
    ]
    tally = Tally()

    batches = list(read_objects(inputs, JSONL, lambda item: io.BytesIO(contents[int(item.key)]), tally))

    whole = [row for batch in batches for row in batch.to_pylist() if row["obj"] != 1]
    assert [(row["obj"], row["line"]) for row in whole] == [(0, '{"n":1}'), (2, '{"n":3}')]
    assert [count.unreadable and count.unreadable.code for count in tally.counts.values()] == [
        None,
        "truncated_gzip",
        None,
    ]


@pytest.mark.parametrize(
    "content",
    [b'{"n":1}\n', GZIP, GZIP[:-1], b"\xff\xfe\x00\x00", b"PAR1"],
    ids=["text", "gzip", "cut", "mark", "short"],
)
def test_an_object_that_is_not_the_one_of_the_manifest_stops_the_run(content: bytes) -> None:
    item = RawInput(0, RawObject("k", etag(b"other"), 5))

    with pytest.raises(RawObjectChanged) as caught:
        list(read_objects([item], JSONL, lambda _: io.BytesIO(content), Tally()))

    assert caught.value.found_etag == etag(content)


def test_an_object_that_is_gone_stops_the_run() -> None:
    def missing(item: RawObject) -> io.BytesIO:
        raise FileNotFoundError(item.key)

    with pytest.raises(RawObjectChanged, match="is gone"):
        list(read_objects([RawInput(0, RawObject("k", etag(b""), 0))], JSONL, missing, Tally()))


def test_an_etag_of_another_kind_cannot_be_compared() -> None:
    item = RawInput(0, RawObject("k", '"9b2cf535f27731c974343645a3985328-2"', 7))
    tally = Tally()

    list(read_objects([item], JSONL, lambda _: io.BytesIO(b'{"n":1}\n'), tally))

    assert tally.etags == {0: etag(b'{"n":1}\n')}


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_bomb_comes_in_small_pieces(compress: Callable[[bytes], bytes]) -> None:
    bomb = compress(bytes(100 << 20))
    stored = StoredBytes(io.BytesIO(bomb), RawObject("k", etag(bomb), len(bomb)))

    sizes = [len(piece) for piece in decompressed(stored)]

    assert sum(sizes) == 100 << 20
    assert max(sizes) <= 64 << 20
