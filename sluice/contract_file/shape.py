"""Whether a contract file has the fields of the Open Data Contract Standard and nothing else.

The standard's model ignores unknown fields below the top level, so a misspelt one would silently count for nothing.
"""

from __future__ import annotations

from decimal import Decimal
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import BaseModel, ValidationError

from sluice.errors import did_you_mean

if TYPE_CHECKING:
    from sluice.contract_file.place import Place

_NOUNS: dict[object, str] = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
_FITTING: dict[object, tuple[type, ...]] = {str: (str,), bool: (bool,), int: (int,), float: (int, Decimal)}


def read_model(place: Place) -> OpenDataContractStandard | None:
    """Return the file as the standard's model, or None after refusing every field that does not belong."""
    _check(OpenDataContractStandard, place.document.value, place)
    if place.problems:
        return None
    try:
        return OpenDataContractStandard.model_validate(place.document.value)
    except ValidationError as error:
        refuse_invalid(error, place)
        return None


def refuse_invalid(error: ValidationError, place: Place) -> None:
    """Refuse what pydantic found, each at the place of the value it found it in."""
    for detail in error.errors():
        here = place
        for step in detail["loc"]:
            here = here[step]
        here.refuse(f"does not fit: {detail['msg']}.", "See docs/contracts.md for what this field takes.")


def refuse_unknown(model: type[BaseModel], value: dict[str, object], place: Place) -> None:
    """Refuse the fields of `value` that `model` does not have."""
    names = _fields(model)
    for name in value:
        if name not in names:
            place[name].refuse("is not a field here.", did_you_mean(name, names))


def _check(kind: Any, value: object, place: Place) -> None:  # noqa: ANN401 - an annotation can be any object
    kind = _branch(kind, value)
    if value is None or kind is Any:
        return
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        _check_model(kind, value, place)
    elif get_origin(kind) is list:
        _check_list(get_args(kind)[0], value, place)
    elif get_origin(kind) is dict:
        _check_mapping(value, place)
    else:
        _check_scalar(kind, value, place)


def _branch(kind: Any, value: object) -> Any:  # noqa: ANN401
    """Of a union take the member that has the value's shape, or else the first."""
    if get_origin(kind) not in {Union, UnionType}:
        return kind
    members = [member for member in get_args(kind) if member is not NoneType]
    return next((member for member in members if isinstance(value, _python_types(member))), members[0])


def _python_types(kind: Any) -> tuple[type, ...]:  # noqa: ANN401
    if get_origin(kind) is list:
        return (list,)
    if get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return (dict,)
    return _FITTING.get(kind, (object,))


def _check_model(model: type[BaseModel], value: object, place: Place) -> None:
    if not isinstance(value, dict):
        place.refuse("must hold fields of its own.", f"Its fields are {', '.join(sorted(_fields(model)))}.")
        return
    refuse_unknown(model, value, place)
    fields = _fields(model)
    for name in value.keys() & fields.keys():
        _check(fields[name], value[name], place[name])


def _check_list(element: Any, value: object, place: Place) -> None:  # noqa: ANN401
    if not isinstance(value, list):
        place.refuse("must be a list.", 'Begin each element on a line of its own with "- ".')
        return
    for index, item in enumerate(value):
        if item is None:
            place[index].refuse("is empty.", 'Remove the "-", or write something after it.')
        _check(element, item, place[index])


def _check_mapping(value: object, place: Place) -> None:
    if not isinstance(value, dict):
        place.refuse("must hold fields of its own.", 'Write "name: value" below it.')


def _check_scalar(kind: object, value: object, place: Place) -> None:
    if isinstance(value, _FITTING[kind]) and not (isinstance(value, bool) and kind is not bool):
        return
    cure = f"Write {_NOUNS[kind]}."
    if kind is str and isinstance(value, bool | int | Decimal):
        cure = f'Put it between quotes: "{str(value).lower() if isinstance(value, bool) else value}".'
    place.refuse(f"must be {_NOUNS[kind]}.", cure)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """The names that a file may use, with their types."""
    hints = get_type_hints(model)
    return {field.alias or name: hints[name] for name, field in model.model_fields.items()}
