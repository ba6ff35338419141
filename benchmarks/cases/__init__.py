"""The cases: what is prepared for each, and who takes part."""

from __future__ import annotations

from benchmarks.cases.base import FULL, QUICK, TINY, Bench, Case, Sizes, on_one_core
from benchmarks.cases.blobs import G1, G1M, G2, G6, G6L, G6U, G10
from benchmarks.cases.commands import G11, G12
from benchmarks.cases.listings import G5, G5D, G5L
from benchmarks.cases.many import G3, G3D, G3E, G3M, G3T, G4, G4T, G10S
from benchmarks.cases.starting import G9
from benchmarks.cases.zips import G7, G7S, G8, G8S

__all__ = ["CASES", "FULL", "QUICK", "TINY", "Bench", "Case", "Sizes"]

CASES = (
    *(G1, on_one_core(G1), G1M),
    *(G2, on_one_core(G2)),
    *(G3, on_one_core(G3), G3T, G3D, G3E, G3M),
    *(G4, on_one_core(G4), G4T),
    *(G5, G5L, G5D),
    *(G6, G6L, G6U),
    *(G7, G7S),
    *(G8, G8S),
    G9,
    *(G10, G10S),
    *(G11, G12),
)
