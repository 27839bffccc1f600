"""Several RefHCM datasets as one: in turns, as published multi-task training does, or drawn."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix._order import permutation, random_bits
from refpix.datasets._images import pack_payloads
from refpix.datasets._rows import Faults, Indices, Payloads
from refpix.datasets.refhcm import RefHCM
from refpix.datasets.refhcm_sample import RefHCMSample, RefHCMTargets
from refpix.errors import KernelError, RowError
from refpix.types import BytesBatch

__all__ = ["RefHCMMixture"]

Ints = npt.NDArray[np.int64]


class RefHCMMixture:
    """A map-style mixture. What stands at an index depends on (seed, epoch) only.

    ``mode="cycle"``: item i is the list of the next row of each dataset, in the order given;
    short datasets start again, and the epochs follow on from one another. With
    ``{"rkpt": ..., "rpar": ..., "rhrc": ...}`` and ``shuffle=False`` that is the published
    multi-task training in one process. `flatten` gives the same samples one by one, which is what
    ``refpix.Loader`` wants: a batch of ``3 * k`` then holds ``k`` of each.

    ``mode="weighted"``: item i is a sample of a dataset drawn by weight; within an epoch no row of
    a dataset comes twice before all have come.

    Args:
        datasets: name -> dataset, none of them empty.
        weights: weighted: name -> weight, or weights in the order of ``datasets``. None: by size.
        mode: see above.
        length: items in an epoch. None: those of the longest dataset (cycle), or the sum of all
            (weighted). The published program takes the length of its REC file.
        seed: of all that is random.
        shuffle: cycle: each dataset in a random order, another each time it starts again.

    Raises:
        ValueError: no dataset, an empty one, or weights that are not positive in sum.

    Source: RefHCM, data/mm_data/multitask_dataset.py.
    """

    def __init__(
        self,
        datasets: Mapping[str, RefHCM],
        weights: Mapping[str, float] | Sequence[float] | None = None,
        *,
        mode: Literal["cycle", "weighted"] = "cycle",
        length: int | None = None,
        seed: int = 0,
        shuffle: bool = False,
    ) -> None:
        if mode not in ("cycle", "weighted"):
            raise ValueError(f"mode={mode!r}: expected 'cycle' or 'weighted'")
        if not datasets:
            raise ValueError("a mixture needs a dataset")
        if empty := [name for name, dataset in datasets.items() if len(dataset) == 0]:
            raise ValueError(f"empty datasets: {', '.join(empty)}")
        self.datasets = dict(datasets)
        self.mode = mode
        self.seed = seed
        self.epoch = 0
        self.grouped = mode == "cycle"
        self._parts = list(self.datasets.values())
        self._sizes = np.array([len(part) for part in self._parts], dtype=np.int64)
        self._shuffle = shuffle or mode == "weighted"
        self._weights = _weighted(self.datasets, weights, self._sizes)
        default = self._sizes.max() if self.grouped else self._sizes.sum()
        self._length = int(default if length is None else length)
        self._orders: dict[tuple[int, int, int], Ints] = {}
        self._draws: tuple[Ints, Ints] | None = None

    def __repr__(self) -> str:
        names = ", ".join(f"{name}: {len(part)}" for name, part in self.datasets.items())
        return f"RefHCMMixture({names}; mode={self.mode!r}, epoch {self.epoch}): {len(self)} items"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_orders": {}, "_draws": None}

    def __len__(self) -> int:
        single = self.mode == "cycle" and not self.grouped
        return self._length * len(self._parts) if single else self._length

    def set_epoch(self, epoch: int) -> None:
        """Moves to an epoch; the samples behind the indices change."""
        self.epoch = int(epoch)
        self._orders, self._draws = {}, None

    def flatten(self) -> RefHCMMixture:
        """The samples of a cycle one by one: item ``k * i + j`` is what dataset j gives to i."""
        flat = copy.copy(self)
        flat.grouped = False
        flat._orders = {}
        return flat

    def locate(self, rows: Indices) -> tuple[Ints, Ints]:
        """Which dataset, and which index into it, stands behind each sample.

        Args:
            rows: indices into this mixture; in a grouped cycle each counts for one of each.

        Returns:
            int64 (n,), place of the dataset; int64 (n,), index into it.

        Raises:
            IndexError: no such item.
        """
        items = np.asarray(rows, dtype=np.int64).reshape(-1)
        items = np.where(items < 0, items + len(self), items)
        if ((items < 0) | (items >= len(self))).any():
            raise IndexError(f"no such item in {self!r}")
        if self.mode == "weighted":
            which, turn = self._drawn()
            return which[items], self._ordered(which[items], turn[items])
        count = len(self._parts)
        if self.grouped:
            items = (items[:, None] * count + np.arange(count)).reshape(-1)
        which = items % count
        return which, self._ordered(which, items // count + self.epoch * self._length)

    def __getitem__(self, index: int) -> Any:
        """A sample, or in a grouped cycle the list of one of each."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Indices) -> list[Any]:
        """The items of a batch; each dataset reads its share in one go."""
        which, rows = self.locate(indices)
        samples: list[Any] = [None] * len(which)
        for part, places in self._shares(which):
            for place, sample in zip(places, part.__getitems__(rows[places]), strict=True):
                samples[place] = sample
        if not self.grouped:
            return samples
        count = len(self._parts)
        return [samples[i : i + count] for i in range(0, len(samples), count)]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def records(self, rows: Indices, faults: Faults | None = None) -> list[RefHCMSample | None]:
        """Everything but pixels, as `RefHCM.records`."""
        which, inner = self._located(rows)
        records: list[RefHCMSample | None] = [None] * len(which)
        for part, places in self._shares(which):
            found = None if faults is None else Faults()
            for place, record in zip(places, part.records(inner[places], found), strict=True):
                records[place] = record
            if faults is not None and found is not None:
                faults.update({places[i]: error for i, error in found.items()})
        return records

    def payloads(self, rows: Indices, faults: Faults | None = None) -> Payloads:
        """The encoded pictures, as `RefHCM.payloads`.

        When they lie in more than one file or encoding, they are gathered in one buffer, base64
        decoded.
        """
        which, inner = self._located(rows)
        found: Faults = {}
        shares = []
        for part, places in self._shares(which):
            own: Faults = {}
            shares.append((places, part.payloads(inner[places], own)))
            found.update({places[i]: error for i, error in own.items()})
        alone = len(shares) == 1
        payloads = shares[0][1] if alone else self._gathered(which, inner, shares, found)
        if faults is not None:
            faults.update(found)
        elif found:
            raise found[min(found)]
        return payloads

    def targets(self, sample: RefHCMSample, **options: Any) -> RefHCMTargets:
        """As `RefHCM.targets`, by the sample's task, with the variations of multi-task training."""
        part = next((p for p in self._parts if p.task == sample.task), self._parts[0])
        return part.targets(sample, **{"multitask": True, **options})

    def row_error(self, row: int, error: KernelError) -> RowError:
        """As `RefHCM.row_error`."""
        which, inner = self._located([row])
        return self._parts[int(which[0])].row_error(int(inner[0]), error)

    def _located(self, rows: Indices) -> tuple[Ints, Ints]:
        if self.grouped:
            raise TypeError(
                "the items of this mixture are lists: use .flatten() for single samples"
            )
        return self.locate(rows)

    def _shares(self, which: Ints) -> Iterator[tuple[RefHCM, list[int]]]:
        for number in np.unique(which).tolist():
            yield self._parts[number], np.flatnonzero(which == number).tolist()

    def _gathered(
        self,
        which: Ints,
        inner: Ints,
        shares: list[tuple[list[int], Payloads]],
        found: Faults,
    ) -> Payloads:
        packed: list[bytes] = [b""] * len(which)
        for places, payloads in shares:
            is_text = [payloads.encoding == "base64"] * len(places)
            batch = BytesBatch(payloads.values, payloads.spans)
            files = [] if is_text[0] else [batch.item(i) for i in range(len(places))]
            raw, broken = pack_payloads(batch, is_text, files)
            for i, place in enumerate(places):
                packed[place] = raw.item(i)
            for i, error in broken.items():
                part = self._parts[int(which[places[i]])]
                row = int(inner[places[i]])
                if places[i] not in found:
                    found[places[i]] = part.row_error(row, error)
        together = BytesBatch.from_items(packed)
        return Payloads(together.values, together.spans, "raw")

    def _drawn(self) -> tuple[Ints, Ints]:
        """Weighted: the dataset of each item of the epoch, and how often it came before."""
        if self._draws is None:
            bits = random_bits(self._length, self.seed, self.epoch)
            uniform = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
            bounds = np.cumsum(self._weights / self._weights.sum())
            which = np.minimum(np.searchsorted(bounds, uniform, side="right"), bounds.size - 1)
            # Rounding may leave the last bound under 1: what falls past it goes to a weight > 0.
            which = np.where(self._weights[which] > 0, which, int(np.argmax(self._weights)))
            turn = np.empty(self._length, np.int64)
            for number in range(bounds.size):
                places = np.flatnonzero(which == number)
                turn[places] = np.arange(len(places))
            self._draws = which.astype(np.int64), turn
        return self._draws

    def _ordered(self, which: Ints, turn: Ints) -> Ints:
        """The index into its dataset that each turn comes to."""
        rows = turn % self._sizes[which]
        if not self._shuffle:
            return rows
        rounds = turn // self._sizes[which]
        # A cycle counts its rounds across epochs, draws begin each epoch anew.
        epoch = self.epoch if self.mode == "weighted" else 0
        for number, number_of_round in sorted(
            set(zip(which.tolist(), rounds.tolist(), strict=True))
        ):
            places = (which == number) & (rounds == number_of_round)
            key = (number, epoch, number_of_round)
            if key not in self._orders:
                self._orders[key] = permutation(int(self._sizes[number]), self.seed, *key)
            rows[places] = self._orders[key][rows[places]]
        return rows


def _weighted(
    datasets: Mapping[str, RefHCM],
    weights: Mapping[str, float] | Sequence[float] | None,
    sizes: Ints,
) -> npt.NDArray[np.float64]:
    """float64 (datasets,), a weight each."""
    if weights is None:
        return sizes.astype(np.float64)
    if isinstance(weights, Mapping):
        if weights.keys() != datasets.keys():
            raise ValueError(f"weights for {sorted(weights)}, datasets {sorted(datasets)}")
        weights = [weights[name] for name in datasets]
    array = np.array(weights, dtype=np.float64)
    if array.shape != sizes.shape or not (np.isfinite(array) & (array >= 0)).all():
        raise ValueError("weights: one for each dataset, none negative")
    if array.sum() <= 0:
        raise ValueError("weights: at least one must be positive")
    return array
