"""auto_LiRPA's bounds of networks whose weights came from Keras; run in its own environment.

python torch_bounds.py CASES ANSWERS: two directories; `bounds_benchmark.py` writes the one and
reads the other. Imports nothing of robust_keras.
"""

import json
import pathlib
import sys

import numpy as np
import torch
import torch.onnx.symbolic_helper as symbolic_helper

# auto_LiRPA 0.3, the last on PyPI, was written for torch 1.12; this is all that it misses in 2.x.
symbolic_helper._set_opset_version = lambda version: None
torch._C.Node.__getitem__ = lambda node, name: getattr(node, node.kindOf(name))(name)

# Its tables of tangents follow the default.
torch.set_default_dtype(torch.float64)

import auto_LiRPA  # noqa: E402

CURVES = {"relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh}


def network(case):
    """A `torch.nn.Sequential` from layers' kinds and weights, which are in torch's order."""
    layers = []
    for number, kind in enumerate(json.loads(str(case["kinds"]))):
        if kind == "flatten":
            layers.append(torch.nn.Flatten())
        elif kind in CURVES:
            layers.append(CURVES[kind]())
        else:
            kernel, bias = (torch.from_numpy(case[f"{number}/{n}"]) for n in ("kernel", "bias"))
            if kind == "dense":
                layer = torch.nn.Linear(*kernel.shape[::-1])
            else:
                layer = torch.nn.Conv2d(*kernel.shape[1::-1], kernel.shape[2], stride=2, padding=1)
            layer.weight.data, layer.bias.data = kernel, bias
            layers.append(layer)
    return torch.nn.Sequential(*layers)


def lower_bounds(case, method):
    """Of the margins (images, classes - 1), without gradients."""
    images = torch.from_numpy(case["images"])
    model = auto_LiRPA.BoundedModule(network(case), torch.empty_like(images), device="cpu")
    ball = auto_LiRPA.PerturbationLpNorm(
        norm=np.inf,
        x_L=torch.from_numpy(case["lower"]),
        x_U=torch.from_numpy(case["upper"]),
    )
    inputs = auto_LiRPA.BoundedTensor(images, ball)
    forms = torch.from_numpy(case["forms"])
    with torch.no_grad():
        lower, _ = model.compute_bounds(x=(inputs,), C=forms, method=method, bound_upper=False)
    return lower.numpy()


def main():
    """Answers every case by interval bounds, CROWN-IBP and CROWN."""
    cases, answers = map(pathlib.Path, sys.argv[1:])
    for path in sorted(cases.glob("*.npz")):
        with np.load(path) as case:
            found = {m: lower_bounds(case, m) for m in ("IBP", "CROWN-IBP", "CROWN")}
        np.savez(answers / path.name, **found)


if __name__ == "__main__":
    main()
