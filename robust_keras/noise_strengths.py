"""How strong changes are in the study of symmetric activations: its tables' columns.

In units of pixels, for images of one channel and for all others (Zhao and Griffin, 2016, arXiv
1603.05145).
"""

MNIST = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
CIFAR10 = (0.0, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.045, 0.05, 0.075, 0.1, 0.15)
