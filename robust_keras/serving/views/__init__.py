"""From images in [0, 1], channels last, to what a stranger's model takes, and back to logits."""
