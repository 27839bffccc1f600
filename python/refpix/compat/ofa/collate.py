"""Samples to mini-batches, with the keys, padding and dtypes of the published program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

__all__ = ["collate"]

#: Batch keys and the sample keys whose tensors are stacked under them, where samples have them.
_STACKED = {
    "w_resize_ratios": "w_resize_ratio",
    "h_resize_ratios": "h_resize_ratio",
    "region_coords": "region_coord",
    "keypoints": "keypoints",
    "parsing_codes": "parsing_code",
    "gt": "gt",
}
_LISTED = ("target_boxes", "target_action_labels", "target_obj_labels")


def collate(
    samples: Sequence[Mapping[str, Any]],
    pad_idx: int,
    eos_idx: int | None = None,
    *,
    keys: Sequence[str] = (),
) -> dict[str, Any]:
    """Merges samples into a mini-batch.

    Args:
        samples: items of one of the datasets here.
        pad_idx: fills token rows on the right.
        eos_idx: not used; published.
        keys: which entries to add to those that all batches have (``id``, ``nsentences``,
            ``ntokens``, ``net_input``, ``target``): ``text`` (NumPy strings), ``w_resize_ratios``,
            ``h_resize_ratios``, ``region_coords``, ``keypoints``, ``parsing_codes``, ``gt``
            (stacked tensors), ``target_boxes``, ``target_action_labels``, ``target_obj_labels``
            (lists of tensors), ``full_mask_position`` (of ``net_input``).

    Returns:
        ``{}`` for no samples. Tokens are int64 (n, longest), images float32 (n, 3, H, W).

    Raises:
        RuntimeError: tensors to be stacked differ in shape.

    Source: RefHCM, data/mm_data/*_dataset.py (collate) and data/data_utils.py (collate_tokens).
    """
    if not samples:
        return {}

    def merge(key: str) -> torch.Tensor:
        return pad_sequence([s[key] for s in samples], batch_first=True, padding_value=pad_idx)

    def lengths(key: str) -> torch.Tensor:
        return torch.tensor([int(s[key].ne(pad_idx).sum()) for s in samples])

    net_input: dict[str, Any] = {
        "src_tokens": merge("source"),
        "src_lengths": lengths("source"),
        "patch_images": torch.stack([s["patch_image"] for s in samples]),
        "patch_masks": torch.cat([s["patch_mask"] for s in samples]),
        "prev_output_tokens": None,
    }
    batch: dict[str, Any] = {"id": np.array([s["id"] for s in samples])}
    if "text" in keys:
        batch["text"] = np.array([s["text"] for s in samples])
    batch |= {"nsentences": len(samples), "ntokens": 0, "net_input": net_input, "target": None}
    if samples[0].get("target") is None:
        batch["ntokens"] = int(net_input["src_lengths"].sum())
    else:
        batch["ntokens"] = int(lengths("target").sum())
        batch["target"] = merge("target")
        if samples[0].get("prev_output_tokens") is not None:
            net_input["prev_output_tokens"] = merge("prev_output_tokens")
    if "full_mask_position" in keys:
        # First and last of the 48 queries in the decoder's input; published as a constant.
        net_input["full_mask_position"] = (6, 53)
    batch |= {k: torch.stack([s[_STACKED[k]] for s in samples]) for k in keys if k in _STACKED}
    batch |= {k: [s[k] for s in samples] for k in keys if k in _LISTED}
    return batch
