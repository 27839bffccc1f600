"""Pictures that a device's decoder made, and what became of those that it could not."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["DecodedImages", "offsets_of"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DecodedImages:
    """Decoded pictures, end to end on a device, and what became of each.

    Enqueued on the stream that was torch's current one when ``decode`` was called: use them there,
    or let the other stream wait for that one.

    Attributes:
        pixels: uint8 (bytes,) on the device, each picture (H, W, 3) in C order, RGB.
        offsets: int64 (n + 1,) on the device; picture i is ``pixels[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2) on the device, height and width; 0 x 0 where there are no pixels.
        host_sizes: the same in host memory.
        faults: int64 (n, 2) in host memory, per item a fault (``refpix.kernels.fault_name``) and
            a byte position; 0 and -1 where all is well, as of ``image_batch``.
        engines: per item what decoded it: ``"hardware"``, ``"hybrid"``, ``"cpu"``, or ``"none"``.
        header_sizes: int64 (n, 2) in host memory, height and width of the whole picture by its
            header, also where it could not be decoded; 0 x 0 where the header is at fault.
    """

    pixels: torch.Tensor
    offsets: torch.Tensor
    sizes: torch.Tensor
    host_sizes: Int64s
    faults: Int64s
    engines: tuple[str, ...]
    header_sizes: Int64s
    held: object = field(default=None, repr=False)  # the encoded bytes, which are still being read

    def __len__(self) -> int:
        return len(self.host_sizes)

    @property
    def host_offsets(self) -> Int64s:
        """``offsets`` in host memory."""
        return offsets_of(self.host_sizes)

    def image(self, i: int) -> torch.Tensor:
        """Picture i as a view: uint8 (H, W, 3) on the device; (0, 0, 3) if it has no pixels."""
        height, width = (int(side) for side in self.host_sizes[i])
        start = int(self.host_offsets[i])
        return self.pixels[start : start + 3 * height * width].view(height, width, 3)

    def sound(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Pixels, offsets and sizes of the items that have pixels: what kernels for images take.

        A kernel would find fault with the others, which are 0 x 0.
        """
        good = self.faults[:, 0] == 0
        if good.all():
            return self.pixels, self.offsets, self.sizes
        kept = torch.from_numpy(np.flatnonzero(good)).to(self.sizes.device)
        # Faulty items have no bytes, so the others lie end to end without them.
        ends = self.offsets[1:].index_select(0, kept)
        offsets = torch.cat([self.offsets[:1], ends])
        return self.pixels, offsets, self.sizes.index_select(0, kept)


def offsets_of(sizes: Int64s) -> Int64s:
    """int64 (n + 1,): where RGB pictures of these sizes, int64 (n, 2), begin and end in bytes."""
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes[:, 0] * sizes[:, 1] * 3, out=offsets[1:])
    return offsets
