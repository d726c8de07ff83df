"""The price book: dated list prices per region, and the sizes that work is assumed to have."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sluice.contract_file.document import Document, field_name, read_document
from sluice.errors import ContractInvalid, PriceBookInvalid, RegionUnpriced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract import Contract

_CURE = "Compare with deploy/prices/aws.yaml; docs/cost.md says what each field means."


def _number(value: object) -> object:
    if isinstance(value, str | bool):
        raise ValueError("write a number")  # noqa: TRY004  Pydantic reports ValueErrors
    return value


def _date(value: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("write a date such as 2026-03-31") from None


Amount = Annotated[float, BeforeValidator(_number), Field(ge=0)]
Size = Annotated[float, BeforeValidator(_number), Field(gt=0)]


class _Prices(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FargatePrices(_Prices):
    usd_per_vcpu_hour: Amount
    usd_per_gb_hour: Amount


class GluePrices(_Prices):
    usd_per_dpu_hour: Amount


class AthenaPrices(_Prices):
    usd_per_tb: Amount


class S3Prices(_Prices):
    usd_per_1000_put: Amount
    usd_per_1000_get: Amount
    usd_per_gb_month: Amount


class RegionPrices(_Prices):
    fargate: FargatePrices
    glue: GluePrices
    athena: AthenaPrices
    s3: S3Prices


class LocalSize(_Prices):
    usd_per_hour: Amount = 0.0


class FargateSize(_Prices):
    vcpu: Size
    gb: Size
    minimum_seconds: Amount


class GlueSize(_Prices):
    dpu: Size
    minimum_seconds: Amount


class AthenaSize(_Prices):
    minimum_mb: Amount


class Sizes(_Prices):
    """What a run is assumed to be given, and the least that is billed."""

    local: LocalSize = LocalSize()
    fargate: FargateSize
    glue: GlueSize
    athena: AthenaSize


class PriceBook(_Prices):
    """List prices in US dollars as of a day; `path` is where the book was read from, for messages."""

    as_of: Annotated[date, BeforeValidator(_date)]
    source: str
    sizes: Sizes
    regions: Annotated[dict[str, RegionPrices], Field(min_length=1)]
    path: str = Field(default="", exclude=True)

    def region(self, name: str) -> RegionPrices:
        """Return a region's prices; raises RegionUnpriced."""
        try:
            return self.regions[name]
        except KeyError:
            raise RegionUnpriced(region=name, book=self.path, known=self.regions) from None


def parse(text: str, path: str) -> PriceBook:
    """Return the book; raises PriceBookInvalid with the first line that is wrong."""
    try:
        document = read_document(text, path=path)
    except ContractInvalid as error:
        raise PriceBookInvalid(
            path=path, line=error.line, field=error.field, problem=error.problem, cure=_CURE
        ) from error
    try:
        return PriceBook.model_validate({**document.value, "path": path})
    except ValidationError as error:
        raise min((_problem(dict(detail), document) for detail in error.errors()), key=lambda it: it.line) from error


def unknown_regions(contracts: Mapping[str, Contract], prices: PriceBook) -> tuple[RegionUnpriced, ...]:
    """Return an error for each contract that is priced in a region the book lacks."""
    return tuple(
        RegionUnpriced(region=contract.cost.region, book=prices.path, known=prices.regions, contract=contract.path)
        for contract in contracts.values()
        if contract.cost.region not in prices.regions
    )


def _problem(detail: Mapping[str, object], document: Document) -> PriceBookInvalid:
    loc = detail["loc"]
    at = tuple(step for step in loc if isinstance(step, str | int)) if isinstance(loc, tuple) else ()
    return PriceBookInvalid(
        path=document.path,
        line=document.line_of(at),
        field=field_name(at),
        problem=_problem_text(str(detail["type"]), str(detail["msg"])),
        cure=_CURE,
    )


def _problem_text(kind: str, message: str) -> str:
    match kind:
        case "missing":
            return "is missing."
        case "extra_forbidden":
            return "is not a field here."
        case _:
            return f"does not fit: {message.removeprefix('Value error, ')}."
