"""Fingerprints of customers, and the side of the split that each falls on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Words = npt.NDArray[np.uint64]

START, PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)  # FNV-1a, 64 bits
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # splitmix64


def fingerprints(texts: pa.StringArray) -> Words:
    """Hash each text to 64 bits (FNV-1a over its UTF-8): the same on every machine, always.

    All rows advance together, one byte at a time, so a million short texts take milliseconds.
    """
    _, offsets_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32)[texts.offset :][: len(texts) + 1]
    data: npt.NDArray[Any] = np.frombuffer(data_buffer or b"\0", np.uint8)
    starts, lengths = offsets[:-1], np.diff(offsets)
    hashes = np.full(len(texts), START)
    for place in range(int(lengths.max(initial=0))):
        rows = np.flatnonzero(lengths > place)
        hashes[rows] = (hashes[rows] ^ data[starts[rows] + place]) * PRIME
    return hashes


def shares(identifiers: Words, seed: int) -> npt.NDArray[np.float64]:
    """Give each customer a place in [0, 1) that depends on nothing but fingerprint and seed."""
    mixed = identifiers ^ (np.uint64(seed) * PRIME)
    for shift, factor in ((30, MIX_1), (27, MIX_2)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * factor
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def split(
    identifiers: Words, train: float, validation: float, seed: int
) -> dict[str, npt.NDArray[np.int64]]:
    """Part rows by customer: all rows of one customer fall on the same side.

    Args:
        identifiers: each row's fingerprint.
        train: share of customers to train on, 0 to 1.
        validation: share of customers to validate on; the rest is for the test.
        seed: another seed gives another split.

    Returns:
        The row numbers of `train`, `validation` and `test`, ascending.
    """
    place = shares(identifiers, seed)
    return {
        "train": np.flatnonzero(place < train),
        "validation": np.flatnonzero((place >= train) & (place < train + validation)),
        "test": np.flatnonzero(place >= train + validation),
    }
