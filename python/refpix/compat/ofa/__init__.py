"""Drop-in replacements for the data code of OFA and RefHCM: change one import line per file.

docs/compat-ofa.md lists the lines, the quirks that are kept and the option that cures each.
Needs torch; fairseq is never imported, but used as the base class where it already is.
"""

from refpix.compat.ofa.base import OFADataset
from refpix.compat.ofa.collate import collate
from refpix.compat.ofa.file_dataset import FileDataset, batches
from refpix.compat.ofa.items import HOIDataset, RefcocoDataset, RHrcDataset, RKptDataset
from refpix.compat.ofa.multitask import MultiTaskDataset
from refpix.compat.ofa.open_dataset import open_dataset
from refpix.compat.ofa.rpar import (
    PARSING_BEGIN_ID,
    PARSING_BEGIN_TOKEN,
    PARSING_END_ID,
    PARSING_END_TOKEN,
    PARSING_PLACEHOLDER_IDS,
    PARSING_PLACEHOLDER_TOKENS,
    RParDataset,
    RParDatasetFullMask,
)
from refpix.compat.ofa.transforms import Compose, Normalize, RandomResize, ToTensor

__all__ = [
    "PARSING_BEGIN_ID",
    "PARSING_BEGIN_TOKEN",
    "PARSING_END_ID",
    "PARSING_END_TOKEN",
    "PARSING_PLACEHOLDER_IDS",
    "PARSING_PLACEHOLDER_TOKENS",
    "Compose",
    "FileDataset",
    "HOIDataset",
    "MultiTaskDataset",
    "Normalize",
    "OFADataset",
    "RHrcDataset",
    "RKptDataset",
    "RParDataset",
    "RParDatasetFullMask",
    "RandomResize",
    "RefcocoDataset",
    "ToTensor",
    "batches",
    "collate",
    "open_dataset",
]
