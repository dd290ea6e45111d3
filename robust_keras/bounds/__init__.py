"""Bounds from below: images whose class no small change of their pixels can alter, with proof."""

from robust_keras.bounds.certify import Bounds, certify
from robust_keras.bounds.complete import CompleteSearch, Searched, search
from robust_keras.bounds.proofs import Prover, prove
from robust_keras.bounds.smoothing import Smoothed, smooth

__all__ = [
    "Bounds",
    "CompleteSearch",
    "Prover",
    "Searched",
    "Smoothed",
    "certify",
    "prove",
    "search",
    "smooth",
]
