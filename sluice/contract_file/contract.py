"""One contract file read into a trusted contract, or into the list of everything that is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from open_data_contract_standard.model import Team

from sluice.contract import Channel, Column, Contract, FileFormat, Source, fingerprint_of
from sluice.contract_file.columns import read_columns, read_primary_key, refuse_nested
from sluice.contract_file.consumers import read_consumers
from sluice.contract_file.cost import read_cost
from sluice.contract_file.dataset_name import name_problem
from sluice.contract_file.datatype import is_scalar
from sluice.contract_file.document import read_document
from sluice.contract_file.engine import read_engine
from sluice.contract_file.freshness import read_freshness
from sluice.contract_file.gates import read_gates
from sluice.contract_file.healing import read_healing
from sluice.contract_file.maintenance import read_maintenance
from sluice.contract_file.notify import read_notify
from sluice.contract_file.place import Place
from sluice.contract_file.quality import read_expectations
from sluice.contract_file.references import refuse_undeclared
from sluice.contract_file.schedule import read_schedule
from sluice.contract_file.settings import Settings, read_settings
from sluice.contract_file.shape import read_model
from sluice.contract_file.shims import refuse_shims
from sluice.contract_file.source import read_source
from sluice.contract_file.stand_in import check_stand_in
from sluice.errors import ContractInvalid, ContractProblems, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, Support, TeamMember

_KIND = "DataContract"
_NEWEST = "v3.2.0"
_API_VERSION = re.compile(r"v3\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class ContractFile:
    """A contract's text with its path for messages, and the text of the transform.sql beside it, if there is one."""

    path: str
    text: str
    transform_sql: str | None = None


def read_contract(text: str, *, path: str, transform_sql: str | None = None) -> Contract:
    """Return the contract; raises ContractProblems with every problem of the file, by line."""
    contract, _ = _read(ContractFile(path, text, transform_sql))
    return contract


def read_contracts(files: Iterable[ContractFile]) -> Mapping[str, Contract]:
    """Return the contracts by dataset; raises ContractProblems with every problem of all the files."""
    contracts: dict[str, Contract] = {}
    places: list[tuple[Contract, Place]] = []
    problems: list[ContractInvalid] = []
    unread: set[str] = set()
    for file in files:
        try:
            contract, place = _read(file)
        except ContractProblems as error:
            problems.extend(error.problems)
            unread.add(PurePosixPath(file.path).parent.name)  # a folder has its dataset's name
            continue
        places.append((contract, place))
        first = contracts.setdefault(contract.dataset, contract)
        if first is not contract:
            problems.append(_declared_twice(contract, first, place["id"].line))
    for contract, place in places:
        refuse_undeclared(contract, place, contracts.keys() | unread)
        problems.extend(place.problems)
    if problems:
        raise ContractProblems(tuple(problems))
    return contracts


def _read(file: ContractFile) -> tuple[Contract, Place]:
    """Return the contract and the place of the whole file."""
    try:
        place = Place(read_document(file.text, path=file.path), [])
    except ContractInvalid as error:
        raise ContractProblems((error,)) from error
    model = read_model(place)
    contract = None if model is None else _Reading(model, place, file).contract()
    if contract is None or place.problems:
        raise ContractProblems(tuple(sorted(place.problems, key=lambda problem: problem.line)))
    return replace(contract, fingerprint=fingerprint_of(contract), text=file.text), place


def _declared_twice(contract: Contract, first: Contract, line: int) -> ContractInvalid:
    return ContractInvalid(
        path=contract.path,
        line=line,
        field="id",
        problem=f'"{contract.dataset}" is declared in {first.path}, too.',
        cure="Rename one of the two datasets, or remove its folder.",
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The model of one file, while it is being understood."""

    model: OpenDataContractStandard
    place: Place
    file: ContractFile

    def contract(self) -> Contract | None:
        """Return what the file says; it is to be trusted only if nothing was refused."""
        self._check_head()
        table = self._table()
        settings, settings_place = read_settings(self.model.customProperties or [], self.place["customProperties"])
        source = self._source(settings, settings_place)
        if table is None:
            return None
        properties, here = table.properties or [], self.place["schema"][0]["properties"]
        columns = read_columns(properties, here)
        primary_key = read_primary_key(properties, here)
        if source is not None and source.format is FileFormat.CSV:
            refuse_nested(columns, properties, here)
        if self.file.transform_sql is not None:
            refuse_shims(properties, here)
        self._check_settings(settings, settings_place, columns, primary_key)
        contract = self._assembled(columns, primary_key, settings, source)
        return self._with_rules(contract, table, settings, settings_place)

    def _with_rules(
        self, contract: Contract, table: SchemaObject, settings: Settings, settings_place: Place
    ) -> Contract:
        columns, model, place = contract.columns, self.model, self.place
        declared = [item.name for item in table.properties or [] if item.name]
        ruled = replace(
            contract,
            gates=read_gates(settings.gates, settings_place["gates"], contract, declared),
            expectations=read_expectations(table, place["schema"][0], columns),
            freshness=read_freshness(
                model.slaProperties or [], place["slaProperties"], settings.freshness, settings_place["freshness"]
            ),
            cost=read_cost(settings.cost, settings_place["cost"], contract.dataset, columns),
            notify=read_notify(settings.notify, settings_place["notify"]),
            healing=read_healing(settings.healing, settings_place["healing"]),
            consumers=read_consumers(settings.consumers, settings_place["consumers"]),
            maintenance=read_maintenance(settings.maintenance, settings_place["maintenance"]),
            schedule=read_schedule(settings.schedule, settings_place["schedule"]),
            engine=read_engine(
                settings.engine, settings_place["engine"], is_derived=self.file.transform_sql is not None
            ),
        )
        check_stand_in(ruled, settings_place["healing"]["stand_in"])
        return ruled

    def _check_head(self) -> None:
        model, place = self.model, self.place
        if model.kind != _KIND:
            place["kind"].refuse("is missing or is another kind of document.", f"Write kind: {_KIND}.")
        if not _API_VERSION.fullmatch(model.apiVersion or ""):
            place["apiVersion"].refuse("is missing or is not version 3.", f"Write apiVersion: {_NEWEST}.")
        if not model.version:
            place["version"].refuse("is missing.", "Write the contract's own version, such as version: 1.0.0.")
        problem = name_problem(model.id or "")
        if not model.id:
            place["id"].refuse("is missing.", "Write the dataset's name, such as id: web_orders.")
        elif problem is not None:
            place["id"].refuse(problem.problem, problem.cure)

    def _table(self) -> SchemaObject | None:
        tables, place = self.model.schema_ or [], self.place["schema"]
        if len(tables) != 1:
            problem = f"has {len(tables)} objects." if tables else "is missing."
            place.refuse(problem, "Declare one object with the dataset's columns; a second table is a second contract.")
            return None
        table, here = tables[0], place[0]
        for name in ("name", "physicalName"):
            found = getattr(table, name)
            if self.model.id and found != self.model.id and not (found is None and name == "physicalName"):
                here[name].refuse("is not the contract's id.", f"Write {name}: {self.model.id}.")
        if not table.properties:
            here["properties"].refuse("is missing or empty.", "Declare the columns, one property each.")
            return None
        return table

    def _source(self, settings: Settings, place: Place) -> Source | None:
        if self.file.transform_sql is None:
            return read_source(self.model.id or "", self.model.servers or [], self.place["servers"], settings, place)
        if self.model.servers:
            self.place["servers"].refuse(
                "names where files land, but there is a transform.sql beside the contract.", "Remove one of the two."
            )
        for name in ("csv", "order_by", "unknown_fields", "drift", "pull"):
            if name in settings.model_fields_set:
                place[name].refuse("is about landed files, but this dataset is a transform.sql.", "Leave it out.")
        return None

    def _check_settings(
        self, settings: Settings, place: Place, columns: Sequence[Column], primary_key: tuple[str, ...]
    ) -> None:
        if settings.order_by is not None:
            self._check_sortable(settings.order_by, columns, place["order_by"])
            if not primary_key:
                place["order_by"].refuse(
                    "decides which of several records with one key wins, but no column has primaryKey.",
                    "Add primaryKey: true to the key's columns, or leave order_by out.",
                )
        for index, name in enumerate(settings.sort_by):
            self._check_sortable(name, columns, place["sort_by"][index])

    def _check_sortable(self, name: str, columns: Sequence[Column], place: Place) -> None:
        """`columns` lacks those that were refused, and they should not be called unknown on top of that."""
        declared = [item.name for table in self.model.schema_ or [] for item in table.properties or [] if item.name]
        if name not in declared:
            place.refuse(f'"{name}" is not a column.', did_you_mean(name, declared))
        elif any(column.name == name and not is_scalar(column.type) for column in columns):
            place.refuse(f'"{name}" holds nested values, which have no order.', "Choose a plain column.")

    def _assembled(
        self, columns: tuple[Column, ...], primary_key: tuple[str, ...], settings: Settings, source: Source | None
    ) -> Contract:
        model = self.model
        return Contract(
            dataset=model.id or "",
            version=model.version or "",
            columns=columns,
            source=source,
            transform_sql=self.file.transform_sql,
            primary_key=primary_key,
            order_by=settings.order_by,
            sort_by=settings.sort_by,
            unknown_fields=settings.unknown_fields,
            drift=settings.drift,
            start=settings.start,
            plain_table=settings.plain_table,
            title=model.name or model.id or "",
            description=(model.description.purpose if model.description else None) or "",
            domain=model.domain or "default",
            owner=_owner(model.team),
            support=_channels(model.support or [], self.place["support"]),
            tags=tuple(model.tags or ()),
            path=self.file.path,
        )


def _owner(team: Team | list[TeamMember] | None) -> str | None:
    members = (team.members if isinstance(team, Team) else team) or []
    owners = [member for member in members if (member.role or "").lower() == "owner"]
    for member in [*owners, *members]:
        return member.username or member.name
    return team.name if isinstance(team, Team) else None


def _channels(support: Sequence[Support], place: Place) -> tuple[Channel, ...]:
    for index, item in enumerate(support):
        if not item.channel:
            place[index]["channel"].refuse("is missing.", "Name the channel, or remove this entry.")
    return tuple(Channel(item.channel or "", item.url) for item in support)
