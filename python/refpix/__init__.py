"""refpix: the native data path for referring, parsing, matting and long-tail vision datasets."""

from refpix import kernels as _kernels
from refpix.io import tsv as _tsv
from refpix.loader import Loader
from refpix.loader.batch import Batch, Collate

__version__ = "0.1.0"

__all__ = ["Batch", "Collate", "Loader", "__version__"]

# `io` and `kernels` do not import one another; where a reader's inner loop is a kernel, it is
# handed over here.
_tsv.use_kernels(_kernels)
