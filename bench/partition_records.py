"""Makes a reproducible partition of JSON Lines: 14 columns, 1 % bad records, 0.5 % keys that occur twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from isal import igzip

if TYPE_CHECKING:
    from pathlib import Path

_LINES = """
WITH numbered AS (SELECT range + $first AS n, (hash(range + $first) >> 2)::BIGINT AS h FROM range($count)),
keyed AS (SELECT *, CASE WHEN h % 200 = 150 AND n > $first + 50 THEN n - 50 ELSE n END AS k FROM numbered)
SELECT CASE
    WHEN h % 1000 >= 10 THEN concat(
        '{"order_id":', k, ',"user_id":"u', h % 500000,
        '","created_at":"2026-11-01T', lpad((n * 24 // $total)::VARCHAR, 2, '0'),
        ':', lpad((h % 60)::VARCHAR, 2, '0'), ':', lpad((h // 7 % 60)::VARCHAR, 2, '0'),
        '.', lpad((h % 1000)::VARCHAR, 3, '0'),
        'Z","status":"', (['new','paid','shipped','cancelled'])[1 + h % 4],
        '","country":"', (['IN','US','DE','FR','BR','JP'])[1 + h % 6], '","amount":', (h % 100000) / 100,
        ',"currency":"', (['INR','USD','EUR'])[1 + h % 3], '","quantity":', 1 + h % 9,
        ',"sku":"SKU-', lpad((h % 99999)::VARCHAR, 6, '0'), '","channel":"', (['web','app','store'])[1 + h % 3],
        '","discount":', (h % 30) / 100, ',"gift":', h % 2 = 0, ',"email":"user', h % 500000, '@example.com","note":"',
        CASE WHEN h % 10 = 0 THEN 'leave at the door please' ELSE '' END, '"}')
    WHEN h % 5 = 0 THEN '{"order_id": broken'
    WHEN h % 5 = 1 THEN concat('{"order_id":', k, ',"amount":"abc"}')
    WHEN h % 5 = 2 THEN concat('{"order_id":', k, ',"user_id":"u1","quantity":3.5}')
    WHEN h % 5 = 3 THEN '[1,2]'
    ELSE concat('{"order_id":', k, ',"amount":NaN}') END
FROM keyed ORDER BY n
"""


def write_partition(folder: Path, *, records: int, files: int) -> None:
    """Write `records` lines into `files` gzipped files of equal length below `folder`, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    each = records // files
    for number in range(files):
        target = folder / f"part-{number:05}.jsonl.gz"
        if target.exists():
            continue
        values = {"first": number * each, "count": each, "total": records}
        rows = duckdb.execute(_LINES, values).fetchall()
        partial = target.with_name(f".{target.name}")
        partial.write_bytes(igzip.compress("".join(f"{line}\n" for (line,) in rows).encode()))
        partial.rename(target)
