"""The hybrid loss, which training and unusual inputs share, under the name by which it is known."""

from robust_keras.hybrid_loss import HYBRID_CIFAR10, HYBRID_MNIST, HybridLoss

__all__ = ["HYBRID_CIFAR10", "HYBRID_MNIST", "HybridLoss"]
