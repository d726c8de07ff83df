"""The rules of `contract_orders.yaml` as people write them by hand: a function that checks and casts one record."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

TEXTS = ("user_id", "status", "country", "currency", "sku", "channel", "email", "note")
_STATUSES = {"new", "paid", "shipped", "cancelled"}
_COUNTRY = re.compile("^[A-Z]{2}$")
_CENT = Decimal("0.01")

Record = dict[str, Any]  # Any: what JSON holds


def read_order(line: str) -> Record:
    """Return the typed record of a line; raises ValueError that says what is wrong."""
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("not an object")  # noqa: TRY004  one error for all that is wrong
    for name in ("order_id", "user_id", "created_at", "status", "amount"):
        if record.get(name) is None:
            raise ValueError(f"{name} is missing")
    cast = {name: _text(record, name) for name in TEXTS}
    if cast["status"] not in _STATUSES:
        raise ValueError("status is unknown")
    if cast["country"] is not None and not _COUNTRY.match(cast["country"]):
        raise ValueError("country is no code")
    if cast["currency"] is not None and len(cast["currency"]) != 3:
        raise ValueError("currency is no code")
    return {
        **cast,
        "order_id": _whole(record, "order_id"),
        "created_at": datetime.fromisoformat(record["created_at"]),
        "amount": _amount(record["amount"]),
        "quantity": _whole(record, "quantity"),
        "discount": None if record.get("discount") is None else float(record["discount"]),
        "gift": _flag(record, "gift"),
    }


def _text(record: Record, name: str) -> str | None:
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


def _whole(record: Record, name: str) -> int | None:
    value = record.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{name} is no whole number")
    return value


def _flag(record: Record, name: str) -> bool | None:
    value = record.get(name)
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{name} is neither true nor false")
    return value


def _amount(value: object) -> Decimal:
    try:
        amount = Decimal(str(value)).quantize(_CENT)
    except InvalidOperation as error:
        raise ValueError("amount is no number") from error
    if amount < 0:
        raise ValueError("amount is negative")
    return amount
