"""Bounds from below: images whose class no small change of their pixels can alter, with proof."""

from robust_keras.bounds.certify import certify, margin_bounds

__all__ = ["certify", "margin_bounds"]
