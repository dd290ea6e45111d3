"""torchattacks' AutoAttack on a LeNet-5 whose weights came from Keras; run in its own environment.

python torch_autoattack.py CASE.npz ANSWER.json; `attack_benchmark.py` writes the one and reads the
other. Imports nothing of robust_keras.
"""

import argparse
import json
import time

import numpy as np
import torch
import torchattacks

# torchattacks' own AutoAttack takes 10 steps, where the published budget is 100.
STEPS = {"published": 100, "as shipped": None}


def attack(model, budget, norm, epsilon):
    """The standard ensemble, of torchattacks' own parts."""
    common = {"norm": norm, "eps": epsilon, "seed": 0}
    if budget == "as shipped":
        return torchattacks.AutoAttack(model, n_classes=10, version="standard", **common)
    steps = {"steps": STEPS[budget], "n_restarts": 1}
    return torchattacks.MultiAttack(
        [
            torchattacks.APGD(model, loss="ce", **steps, **common),
            torchattacks.APGDT(model, n_classes=10, **steps, **common),
            torchattacks.FAB(model, n_classes=10, multi_targeted=True, **steps, **common),
            torchattacks.Square(model, n_queries=5000, n_restarts=1, **common),
        ]
    )


class LeNet5(torch.nn.Module):
    """The network of `robust_keras.models`, with its weights."""

    def __init__(self, case):
        super().__init__()
        weights = {name: torch.from_numpy(case[name]) for name in case.files if "/" in name}
        self.mean, self.deviation = float(case["mean"]), float(case["variance"]) ** 0.5
        self.convolutions = torch.nn.ModuleList()
        for name in ("conv1", "conv2"):
            # (height, width, in, out) -> (out, in, height, width)
            kernel = weights[f"{name}/kernel"].permute(3, 2, 0, 1).contiguous()
            layer = torch.nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2])
            self.convolutions.append(_filled(layer, kernel, weights[f"{name}/bias"]))
        kernel = weights["dense1/kernel"].T
        # Keras flattens (4, 4, 50), torch (50, 4, 4).
        kernel = kernel.reshape(-1, 4, 4, 50).permute(0, 3, 1, 2).reshape(kernel.shape)
        hidden = torch.nn.Linear(800, kernel.shape[0])
        self.hidden = _filled(hidden, kernel.contiguous(), weights["dense1/bias"])
        kernel = weights["logits/kernel"].T.contiguous()
        self.answer = _filled(torch.nn.Linear(*kernel.shape[::-1]), kernel, weights["logits/bias"])

    def forward(self, x):
        """Logits of images (batch, 1, 28, 28)."""
        x = (x - self.mean) / self.deviation
        for layer in self.convolutions:
            x = torch.nn.functional.max_pool2d(torch.relu(layer(x)), 2)
        return self.answer(torch.relu(self.hidden(torch.flatten(x, 1))))


def _filled(layer, kernel, bias):
    layer.weight.data, layer.bias.data = kernel, bias
    return layer


def run(case, budget, norm, epsilon):
    """Which images the attack leaves, and the seconds it took."""
    model = LeNet5(case).eval()
    images = torch.from_numpy(case["images"]).permute(0, 3, 1, 2).contiguous()
    labels = torch.from_numpy(case["labels"])
    with torch.no_grad():
        difference = np.abs(model(images).numpy() - case["answers"]).max()
    ensemble = attack(model, budget, norm, epsilon)
    start = time.perf_counter()
    adversarial = ensemble(images, labels).detach()
    seconds = time.perf_counter() - start
    with torch.no_grad():
        right = (model(adversarial).argmax(1) == labels) & (model(images).argmax(1) == labels)
    changes = (adversarial - images).flatten(1)
    reach = changes.abs().amax(1) if norm == "Linf" else changes.norm(dim=1)
    outside = ~right & (reach > epsilon * (1 + 1e-4))
    # Whatever left the ball is no adversarial example.
    right |= (reach > epsilon * (1 + 1e-4)) & (model(images).argmax(1) == labels)
    return {
        "robust": right.numpy().tolist(),
        "seconds": seconds,
        "difference": float(difference),
        "outside": int(outside.sum()),
        "furthest": float(reach.max()),
        "version": f"torchattacks {torchattacks.__version__}, torch {torch.__version__}",
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case")
    parser.add_argument("answer")
    parser.add_argument("--budget", choices=STEPS, default="published")
    parser.add_argument("--norm", choices=("Linf", "L2"), default="Linf")
    parser.add_argument("--epsilon", type=float, default=0.3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    answer = run(np.load(options.case), options.budget, options.norm, options.epsilon)
    with open(options.answer, "w", encoding="utf-8") as file:
        json.dump(answer, file)


if __name__ == "__main__":
    main()
