"""Rows to batches: in a reproducible order, made ahead on threads, in host or device memory."""

from refpix.loader.batch import Batch, Collate
from refpix.loader.loader import Loader
from refpix.loader.rows import Dataset, LabelledDataset

__all__ = ["Batch", "Collate", "Dataset", "LabelledDataset", "Loader"]
