"""Bounds from below: images whose class no small change of their pixels can alter, with proof."""

from robust_keras.bounds.certify import certify, check_known, margin_bounds
from robust_keras.bounds.proofs import prove
from robust_keras.bounds.smoothing import Smoothed, smooth

__all__ = ["Smoothed", "certify", "check_known", "margin_bounds", "prove", "smooth"]
