"""The contract's `consumers`: who reads the published table. The standard has no field for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.contract import Consumer
from sluice.contract_file.cost import fields_of

if TYPE_CHECKING:
    from sluice.contract_file.place import Place

_FIELDS = ("name", "contact", "use")
_CURE = 'Write a list such as [{name: Finance, contact: finance@example.com, use: "month-end closing"}].'


def read_consumers(value: object, place: Place) -> tuple[Consumer, ...]:
    """Return them; `value` is what is written, None when nothing is."""
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        place.refuse("must be a list of consumers.", _CURE)
        return ()
    found = [item for index, written in enumerate(value) if (item := _consumer(written, place[index])) is not None]
    names = [item.name for item in found]
    for index, name in enumerate(names):
        if name in names[:index]:
            place.refuse(f'names "{name}" twice.', "Make one entry of the two.")
    return tuple(found)


def _consumer(value: object, place: Place) -> Consumer | None:
    if not isinstance(value, dict):
        place.refuse("must hold fields of its own.", _CURE)
        return None
    fields = fields_of(value, place, _FIELDS)
    for name in _FIELDS:
        if name in fields and not (isinstance(fields[name], str) and str(fields[name]).strip()):
            place[name].refuse("must be text.", _CURE)
            return None
    if "name" not in fields:
        place["name"].refuse("is missing.", _CURE)
        return None
    contact = fields.get("contact")
    return Consumer(str(fields["name"]), None if contact is None else str(contact), str(fields.get("use", "")))
