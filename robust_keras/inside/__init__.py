"""What goes on in a network: its weights, bounds, activations, confidences."""
