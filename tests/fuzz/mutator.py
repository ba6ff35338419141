"""Mutations of bytes with the standard library alone, for where there is no atheris; the same seed, the same cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

_TELLING = b"\0\t\n\r \"'%*,-./0129:;<=>?@AZ[\\]_az{}~\x7f\x80\xbf\xc3\xff"
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_LONGEST_BLOCK = 32


def mutated(rng: random.Random, data: bytes, pool: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Return the bytes after one to five changes.

    Args:
        rng: the source of chance.
        data: what to change.
        pool: other inputs, parts of which may be taken over.
        words: what the target's language consists of.
    """
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        _change(rng, changed, pool, words)
    return bytes(changed)


def _change(rng: random.Random, data: bytearray, pool: Sequence[bytes], words: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    length = rng.randrange(1, _LONGEST_BLOCK)
    what = rng.randrange(10)
    if what == 0 and at < len(data):
        data[at] ^= 1 << rng.randrange(8)
    elif what == 1:
        data[at : at + 1] = bytes([rng.choice(_TELLING)])
    elif what == 2:
        data[at:at] = bytes([rng.choice(_TELLING)])
    elif what == 3:
        del data[at : at + length]
    elif what == 4:
        data[at:at] = data[at : at + length] * rng.choice((1, 1, 2, 9))
    elif what == 5:
        other = rng.choice(pool)
        begin = rng.randrange(len(other) + 1)
        data[at : at + length] = other[begin : begin + rng.randrange(1, 4 * _LONGEST_BLOCK)]
    elif what == 6:
        width = rng.choice((1, 2, 4, 8))
        data[at : at + width] = (rng.choice(_NUMBERS) % 256**width).to_bytes(width, rng.choice(("little", "big")))
    elif what == 7:
        data[at : at + length] = rng.randbytes(rng.randrange(1, 9))
    elif words:
        word = rng.choice(words)
        data[at : at + (0 if what == 8 else len(word))] = word
