"""A profile as JSON text, so that it is measured once per version and set of rules."""

from __future__ import annotations

from dataclasses import asdict

import orjson

from sluice.profile import FileShape, Profile


def profile_text(profile: Profile) -> bytes:
    return orjson.dumps(asdict(profile))


def read_profile(text: bytes) -> Profile:
    """Return what `profile_text` wrote; raises ValueError, KeyError or TypeError on anything else."""
    fields = orjson.loads(text)
    fields["files"] = tuple(
        FileShape(**{**file, "row_group_records": tuple(file["row_group_records"])}) for file in fields["files"]
    )
    fields["schema"] = tuple((name, datatype) for name, datatype in fields["schema"])
    fields["repeated_key_sample"] = tuple(fields["repeated_key_sample"])
    return Profile(**fields)
