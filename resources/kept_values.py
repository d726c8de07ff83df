"""Asks Secrets Manager and the Parameter Store for values; nothing of a value is ever in an error."""

from __future__ import annotations

import json
import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from resources.aws_errors import credentials_meaning
from resources.reference import SETTINGS, Keeper, Reference, keeper_place
from resources.s3_errors import code_of
from sluice.errors import ReferenceForbidden, ReferenceUnavailable, ReferenceUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ATTEMPTS = 4
_UNKNOWN = frozenset({"ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound"})
_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "DecryptionFailure", "InvalidKeyId"})
_ASKED_WRONG = frozenset({"InvalidRequestException", "InvalidParameterException", "ValidationException"})
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def fetch_value(variable: str, reference: Reference, environ: Mapping[str, str]) -> str:
    """Return the value a variable refers to; raises an error that names variable and reference."""
    place = keeper_place(environ, reference.name)
    with (
        _explained(variable, reference, place.region),
        closing(place.client(reference.keeper, attempts=_ATTEMPTS)) as aws,
    ):
        if reference.keeper is Keeper.PARAMETER_STORE:
            return str(aws.get_parameter(Name=reference.name, WithDecryption=True)["Parameter"]["Value"])
        text = aws.get_secret_value(SecretId=reference.name).get("SecretString")
    if text is None:
        raise ReferenceUnknown(variable=variable, reference=str(reference), problem="is binary, and no text")
    return _member(variable, reference, str(text)) if reference.json_key else str(text)


def fetch_below(path: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the parameters right below a path by their last names; others than names of variables are left out."""
    reference, place = Reference(Keeper.PARAMETER_STORE, path), keeper_place(environ, path)
    with _explained(SETTINGS, reference, place.region), closing(place.client("ssm", attempts=_ATTEMPTS)) as aws:
        pages = aws.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
        kept = {item["Name"].rpartition("/")[2]: str(item["Value"]) for page in pages for item in page["Parameters"]}
    if not kept:
        problem = f"has no parameter below it in {place.region}"
        raise ReferenceUnknown(variable=SETTINGS, reference=str(reference), problem=problem)
    return {name: value for name, value in kept.items() if _VARIABLE.fullmatch(name) and name != SETTINGS}


def _member(variable: str, reference: Reference, text: str) -> str:
    try:
        found: Any = json.loads(text)  # Any: checked by use
    except ValueError:  # its text would show the secret
        found = None
    value = found.get(reference.json_key) if isinstance(found, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        problem = f'holds no text or number under "{reference.json_key}"'
        raise ReferenceUnknown(variable=variable, reference=str(reference), problem=problem)
    return str(value)


@contextmanager
def _explained(variable: str, reference: Reference, region: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    named = {"variable": variable, "reference": str(reference)}
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        code = code_of(error) if isinstance(error, ClientError) else ""
        if code in _UNKNOWN:
            raise ReferenceUnknown(**named, problem=f"is not there in {region}") from error
        if code in _FORBIDDEN:
            raise ReferenceForbidden(**named, operation=str(error.operation_name)) from error
        if code in _ASKED_WRONG:  # marked for deletion, or no such name could be
            raise ReferenceUnknown(**named, problem=f"cannot be read as it is ({code})") from error
        if (meant := credentials_meaning(error)) is not None:
            raise meant from error
        raise ReferenceUnavailable(**named, problem=code or type(error).__name__) from error
