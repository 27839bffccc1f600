"""Our rows in NVIDIA DALI's pipelines, and our batches. See docs/dali.md.

Importing this needs no DALI; what builds a pipeline raises `MissingExtraError` without it
(``pip install 'refpix[dali]'``).
"""

from refpix.dali.feed import LoaderFeed
from refpix.dali.loader import DaliLoader
from refpix.dali.pipeline import OUTPUT_NAMES, refhcm_pipeline
from refpix.dali.source import Source

__all__ = ["OUTPUT_NAMES", "DaliLoader", "LoaderFeed", "Source", "refhcm_pipeline"]
