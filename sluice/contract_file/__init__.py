"""Contract files: Open Data Contract Standard YAML in, trusted contracts or a list of problems out."""

from sluice.contract_file.contract import ContractFile, read_contract, read_contracts

__all__ = ["ContractFile", "read_contract", "read_contracts"]
