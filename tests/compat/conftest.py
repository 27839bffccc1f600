"""Stand-ins for fairseq's tokenizer and dictionary, and recorded items of the published program.

The real tokenizer's tables are not needed: the pieces of the few words that are encoded one by one
are listed here, and the ids of whole sentences are taken from the recordings.
"""

import json
from typing import NamedTuple

import pytest

# GPT-2's pieces (numbers of its own vocabulary) of what the builders encode word by word.
WORDS = {
    " which": "543", " region": "3814", " does": "857", " the": "262", " text": "2420",
    ' "': "366", " describe?": "6901 30", " Provide": "44290", " bounding": "5421 278",
    " box": "3091", " and": "290", " parsing": "32096", " map.": "3975 13", " what": "644",
    " person": "1048", " at": "379", " interact": "9427", " with?": "351 30", " nose": "9686",
    " sit instr": "1650 6480", " airplane": "19401", " ;": "2162", " look obj": "804 26181",
    " toothbrush": "16162 32680", " ride instr": "6594 6480", " wine glass": "8237 5405",
    " hold obj": "1745 26181", " background": "4469",
}  # fmt: skip
PARTS = {
    "eye": "25379", "ear": "451", "shoulder": "1477 17601", "elbow": "417 8176",
    "wrist": "86 1585", "hip": "1056", "knee": "74 21381", "ankle": "962 293",
}  # fmt: skip
WORDS |= {f" left_{part}": f"1364 62 {pieces}" for part, pieces in PARTS.items()}
WORDS |= {f" right_{part}": f"826 62 {pieces}" for part, pieces in PARTS.items()}


class GPT2BPE:
    """Sentences become one piece that names them."""

    def encode(self, text):
        return WORDS.get(text) or "sentence:" + text.encode().hex()


class BertBPE:
    def encode(self, text):
        return "sentence:" + text.encode().hex()


class Dictionary:
    """The published vocabulary, as far as the recordings tell it; other sentences are unknown."""

    def __init__(self, recorded=()):
        self.known = dict(recorded)

    def bos(self):
        return 0

    def pad(self):
        return 1

    def eos(self):
        return 2

    def encode_line(self, line, *, add_if_not_exist, append_eos):
        import torch

        assert not add_if_not_exist
        assert not append_eos
        ids = []
        for piece in line.split():
            kind, _, number = piece[1:-1].partition("_")
            if kind in ("bin", "code"):
                first, count = {"bin": (58457, 1000), "code": (50265, 8192)}[kind]
                ids.append(first + int(number) if 0 <= int(number) < count else 3)
            else:
                ids += self.known.get(piece, [3])
        return torch.tensor(ids, dtype=torch.int32)


def learn(rows):
    """What recorded lines of tokens say about the dictionary."""
    known = {}
    for row in rows:
        lines = zip(row["encoded_texts"], (row["source_ids"][1:], row["target_ids"]), strict=False)
        for line, ids in lines:
            if line["bpe"]:
                known["sentence:" + line["text"].encode().hex()] = ids[:-1]
            else:
                # The full mask's padding has no piece.
                ids = ids[:-1] if len(ids) == len(line["text"].split()) + 1 else []
                known |= {
                    piece: [one]
                    for piece, one in zip(line["text"].split(), ids, strict=False)
                    if piece.isdigit()
                }
    return known


class Recording(NamedTuple):
    """The items of one file under one configuration.

    Attributes:
        name: of the recording.
        path: of the TSV file.
        selected_cols: for the reader.
        split: for the builder.
        options: for the builder.
        rows: the published program's results.
    """

    name: str
    path: str
    selected_cols: str
    split: str
    options: dict
    rows: list

    @property
    def task(self):
        names = {"odd_images": "rec", "odd_boxes": "rec", "rec_on_rkpt": "rec"}
        names |= {"odd_keypoints": "rkpt", "odd_codes": "rpar"}
        return names.get(self.name, self.name.split("_train")[0].split("_valid")[0])


def read_recordings(folder):
    """All recordings below a ``refhcm`` folder."""
    for file in sorted((folder / "expected").glob("*.json")):
        found = json.loads(file.read_text(encoding="utf-8"))
        if "configs" not in found:
            continue
        for config in found["configs"].values():
            options = {k: v for k, v in config.items() if k != "rows"}
            options |= {k: found[k] for k in ("max_src_length", "max_tgt_length") if k in found}
            recording = Recording(
                file.stem,
                folder / found["file"],
                found["selected_cols"],
                found.get("split", "valid"),
                options,
                config["rows"],
            )
            if recording.task == "rhrc":
                del options["max_image_size"]
            if recording.task.startswith("rpar"):
                options["anno_root"] = folder / "annos"
            yield recording


@pytest.fixture(scope="session")
def recordings():
    return read_recordings


@pytest.fixture(scope="session")
def learned_dictionary():
    return lambda rows: Dictionary(learn(rows))


@pytest.fixture
def bpe():
    return GPT2BPE()


@pytest.fixture
def bert_bpe():
    return BertBPE()


@pytest.fixture
def dictionary():
    return Dictionary()
