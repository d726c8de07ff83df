"""What the name of a column tells about it; a name is a hint, so every use of it is told to the reader."""

from __future__ import annotations

import re

_MONEY = frozenset(
    """
    amount balance charge cost discount fare fee fees gross net paid payment price refund revenue salary subtotal
    surcharge tax tip toll tolls total vat wage
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)
_SURELY_MONEY = frozenset({"amount", "balance", "cost", "fare", "fee", "price", "salary"})
_COUNTED = frozenset({"cents", "code", "count", "id", "index", "minor", "number", "qty", "quantity", "status", "type"})
_DIGITS = frozenset(
    """
    barcode bic ean fax gtin iban isbn mobile msisdn phone plz postal postcode ssn tel telephone upc zip zipcode
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)
_PERSONAL = frozenset(
    """
    birthday birthdate dob email firstname forename fullname gender iban ip lastname login mail mobile passport phone
    ssn street surname telephone username
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)
_PERSONAL_PAIRS = ({"first", "name"}, {"last", "name"}, {"full", "name"}, {"birth", "date"}, {"user", "name"})
_OPEN_ENDED = frozenset(
    """
    attributes attrs context custom data details extra extras fields labels meta metadata options params payload
    properties props settings tags
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)
_KEYS = frozenset({"id", "uuid", "guid", "key", "_id"})
_KEY_WORDS = frozenset({"id", "uuid", "guid", "key", "number", "no", "nr"})
_POSITIONS = frozenset({"line", "position", "pos", "seq", "sequence", "version", "revision", "row", "item"})
_CHANGED = frozenset({"updated", "modified", "changed", "update", "modification"})
_HAPPENED = frozenset({"created", "event", "occurred", "timestamp", "ts", "time"})


def words_of(name: str) -> frozenset[str]:
    """Return the words in a name, in small letters: `lastUpdated_At` is last, updated, at."""
    return frozenset(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+", " ", name).lower().split())


def is_money(name: str) -> bool:
    return bool(words_of(name) & _MONEY) and not words_of(name) & _COUNTED


def is_surely_money(name: str) -> bool:
    """Whether even whole numbers under this name are money, so that tomorrow's may have cents."""
    return bool(words_of(name) & _SURELY_MONEY) and not words_of(name) & _COUNTED


def is_digits(name: str) -> bool:
    """Whether digits under this name are no number: a leading zero counts."""
    return bool(words_of(name) & _DIGITS)


def is_personal(name: str) -> bool:
    words = words_of(name)
    return bool(words & _PERSONAL) or any(pair <= words for pair in _PERSONAL_PAIRS)


def is_open_ended(name: str) -> bool:
    """Whether objects under this name often have another shape tomorrow."""
    return bool(words_of(name) & _OPEN_ENDED)


def is_key(name: str) -> bool:
    """Whether the name looks like that of an identifier, of whatever it may be."""
    return name.lower() in _KEYS or bool(words_of(name) & _KEY_WORDS)


def is_key_of(name: str, dataset: str) -> bool:
    """Whether the name is that of the identifier of this dataset's own records: `id`, or order_id in web_orders."""
    if name.lower() in _KEYS:
        return True
    own = {_singular(word) for word in words_of(dataset)}
    rest = words_of(name) - _KEY_WORDS
    return is_key(name) and bool(rest) and {_singular(word) for word in rest} <= own


def is_position(name: str) -> bool:
    """Whether the name numbers parts of a whole: line_no, version."""
    return bool(words_of(name) & _POSITIONS) and not words_of(name) & {"id", "uuid", "guid", "key"}


def recency(name: str) -> int:
    """Return how well an instant of this name tells which of two states is later: 0 is not at all."""
    words = words_of(name)
    return 2 if words & _CHANGED else int(bool(words & _HAPPENED))


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
