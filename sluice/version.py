"""Which inputs, contract and code a partition was built from; the name of its staged files."""

from __future__ import annotations

from dataclasses import dataclass

NOT_READ = "0" * 16
"""In place of a fingerprint, for runs that died before they knew what they read."""


@dataclass(frozen=True, slots=True)
class Version:
    """Equal versions mean equal rows, so a partition that already holds a version needs no work."""

    fingerprint: str
    contract: str
    code: str

    def __str__(self) -> str:
        return f"{self.fingerprint}-{self.contract}-{self.code}"

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read what `str` wrote; raises ValueError on anything else."""
        fingerprint, contract, code = text.split("-")
        return cls(fingerprint, contract, code)
