"""Files made from a contract, for trying out and for load: what is in them is known before they are built."""

from sluice.generating.files import GeneratedFile, generate
from sluice.generating.order import FileOrder, Order, plan_files

__all__ = ["FileOrder", "GeneratedFile", "Order", "generate", "plan_files"]
