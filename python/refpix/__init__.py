"""refpix: the native data path for referring, parsing, matting and long-tail vision datasets."""

__version__ = "0.1.0"
