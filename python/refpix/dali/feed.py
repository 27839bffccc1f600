"""Batches of `refpix.Loader` as the input of a DALI pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from refpix.dali._extra import require_dali
from refpix.loader import Loader

__all__ = ["LoaderFeed"]


class LoaderFeed:
    """Batches that refpix has decoded, resized and normalised, for ``fn.external_source``.

    As in::

        feed = LoaderFeed(Loader(dataset, batch_size=32, size=512))
        with pipe:
            images, rows = feed.nodes()
            pipe.set_outputs(fn.flip(images, horizontal=fn.random.coin_flip()), rows)

    Iterating gives the epochs of the loader, one after another. DALI reads the loader's buffers
    without copying them and lets go of them when it is done; only then are they used again.

    Args:
        loader: its batch size is the pipeline's, or smaller. Batches in host memory, channels
            first, and not of dtype ``bfloat16``, which DALI cannot take in.

    Raises:
        ValueError: the loader's batches are others.
    """

    def __init__(self, loader: Loader) -> None:
        if loader.dtype == "bfloat16":
            raise ValueError("DALI takes no bfloat16: use dtype='float16' or 'float32'")
        if loader.device is not None or loader.channels_last:
            raise ValueError("DALI is fed from host memory: no device and no channels_last")
        self.loader = loader

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Images, rows and, where the loader gives them, label maps, batch by batch."""
        for batch in self.loader:
            given = [batch.images, batch.rows]
            if batch.label_maps is not None:
                given.append(batch.label_maps)
            # Of torch's tensors DALI asks the current CUDA stream, which not every torch has.
            outputs = tuple(np.asarray(one) for one in given)
            del batch, given
            yield outputs
            del outputs  # else this frame would hold the buffer for as long as the next one takes

    def nodes(self) -> tuple[Any, ...]:
        """The feed in a pipeline that is being defined.

        Returns:
            Images (CHW, float32 or float16), rows (int64) and, if the loader has a ``label_size``,
            label maps (HW, int32).

        Raises:
            MissingExtraError: DALI is not installed.
        """
        dali = require_dali()
        types = dali.types
        kinds = [types.FLOAT if self.loader.dtype == "float32" else types.FLOAT16, types.INT64]
        layouts = ["CHW", ""]
        if self.loader.has_label_maps:
            kinds.append(types.INT32)
            layouts.append("HW")
        return tuple(
            dali.fn.external_source(
                self,
                num_outputs=len(kinds),
                batch=True,
                cycle="raise",
                no_copy=True,
                dtype=kinds,
                layout=layouts,
            )
        )
