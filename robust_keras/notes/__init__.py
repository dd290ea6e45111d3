"""What train.py notes beside an export, and how it is read again: classes, layers, accuracy."""
