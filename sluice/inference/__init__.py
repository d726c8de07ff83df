"""Looking at sample files and writing the contract that fits them: what `sluice new` does."""

from sluice.inference.inferred import InferredDataset, infer_contract
from sluice.inference.samples import Limits, SampleFile

__all__ = ["InferredDataset", "Limits", "SampleFile", "infer_contract"]
