"""A variable's value that is kept elsewhere: `secretsmanager:NAME#KEY`, `ssm:NAME`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from resources.s3_place import S3Place
from sluice.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS = "SLUICE_SETTINGS"
_NEEDED_TO_FETCH = (SETTINGS, "SLUICE_AWS_REGION", "SLUICE_AWS_ENDPOINT")
_REGIONS = ("SLUICE_AWS_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
_ARN_REGION = 3  # arn:aws:secretsmanager:REGION:...


class Keeper(StrEnum):
    """The service of AWS that keeps the value."""

    SECRETS_MANAGER = "secretsmanager"
    PARAMETER_STORE = "ssm"


@dataclass(frozen=True, slots=True)
class Reference:
    """`name` may be an ARN; `json_key` names one value of a secret that is a JSON object."""

    keeper: Keeper
    name: str
    json_key: str = ""

    def __str__(self) -> str:
        return f"{self.keeper}:{self.name}" + (f"#{self.json_key}" if self.json_key else "")


def parse_reference(variable: str, value: str) -> Reference | None:
    """Return what a value refers to; None where it is a plain value. Raises SettingInvalid."""
    service, separator, rest = value.partition(":")
    if not separator or service not in {keeper.value for keeper in Keeper} or variable == SETTINGS:
        return None
    if variable in _NEEDED_TO_FETCH:
        raise SettingInvalid(
            name=variable, value=value, problem="is itself needed to fetch references", cure="Write the value itself."
        )
    keeper = Keeper(service)
    name, _, json_key = rest.partition("#") if keeper is Keeper.SECRETS_MANAGER else (rest, "", "")
    if not name or not name.isprintable() or " " in name:
        raise SettingInvalid(
            name=variable,
            value=value,
            problem="names no secret",
            cure="Write secretsmanager:NAME, secretsmanager:NAME#KEY_OF_ITS_JSON or ssm:NAME.",
        )
    return Reference(keeper, name, json_key)


def settings_path(environ: Mapping[str, str]) -> str | None:
    """Return the path below which parameters are variables, if there is one; raises SettingInvalid."""
    text = environ.get(SETTINGS, "")
    if not text:
        return None
    service, _, path = text.partition(":")
    if service != Keeper.PARAMETER_STORE or not path.startswith("/"):
        raise SettingInvalid(name=SETTINGS, value=text, problem="is no path of parameters", cure="Write ssm:/PATH/.")
    return path if path.endswith("/") else f"{path}/"


def keeper_place(environ: Mapping[str, str], name: str) -> S3Place:
    """Return where AWS is asked: in the region of an ARN, else in that of the environment. Raises SettingInvalid."""
    named = name.split(":")[_ARN_REGION] if name.startswith("arn:") and name.count(":") > _ARN_REGION else ""
    region = named or next((environ[item] for item in _REGIONS if environ.get(item)), "")
    if not region:
        cure = f"Set it to the region that keeps {name}."
        raise SettingInvalid(name=_REGIONS[0], value="", problem="is not set", cure=cure)
    return S3Place("", "", region, environ.get("SLUICE_AWS_ENDPOINT") or None)
