"""Kinds of operations of TensorFlow's graphs that several readings of a graph go by."""

# They call a function of the graph.
CALLS = ("PartitionedCall", "StatefulPartitionedCall")
# Between an activation and the output these change nothing but type and shape.
TRANSPARENT = (
    "Cast",
    "CheckNumerics",
    "EnsureShape",
    "Identity",
    "PreventGradient",
    "Reshape",
    "Squeeze",
)
