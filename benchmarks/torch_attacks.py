"""Other libraries' attacks on a LeNet-5 whose weights came from Keras; run in its own environment.

python torch_attacks.py CASE.npz ANSWER.json ATTACK [ATTACK ...]; `attack_benchmark.py` writes the
one and reads the other. Imports nothing of robust_keras.
"""

import argparse
import json
import random
import time

import numpy as np
import torch
import torch_a3

# As a paper would call them; PGD takes 40 steps of a tenth of epsilon from one random start.
STEPS, STEP = 40, 0.1
ORDERS = {"linf": np.inf, "l2": 2}


class LeNet5(torch.nn.Module):
    """The network of `robust_keras.models`, with its weights."""

    def __init__(self, case):
        super().__init__()
        weights = {name: torch.from_numpy(case[name]) for name in case.files if "/" in name}
        self.passes = {"gradients": 0, "forwards": 0}
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
        backward = x.requires_grad and torch.is_grad_enabled()
        self.passes["gradients" if backward else "forwards"] += len(x)
        x = (x - self.mean) / self.deviation
        for layer in self.convolutions:
            x = torch.nn.functional.max_pool2d(torch.relu(layer(x)), 2)
        return self.answer(torch.relu(self.hidden(torch.flatten(x, 1))))


def _filled(layer, kernel, bias):
    layer.weight.data, layer.bias.data = kernel, bias
    return layer


def published_autoattack(model, images, labels, norm, epsilon):
    """The published ensemble, of torchattacks' parts."""
    import torchattacks

    common = {"norm": norm.capitalize(), "eps": epsilon, "seed": torch.initial_seed()}
    steps = {"steps": 100, "n_restarts": 1}
    parts = [
        torchattacks.APGD(model, loss="ce", **steps, **common),
        torchattacks.APGDT(model, n_classes=10, **steps, **common),
        torchattacks.FAB(model, n_classes=10, multi_targeted=True, **steps, **common),
        torchattacks.Square(model, n_queries=5000, n_restarts=1, **common),
    ]
    return torchattacks.MultiAttack(parts)(images, labels)


def shipped_autoattack(model, images, labels, norm, epsilon):
    """The `AutoAttack` that torchattacks ships, which takes 10 steps."""
    import torchattacks

    common = {"norm": norm.capitalize(), "eps": epsilon, "seed": 0}
    return torchattacks.AutoAttack(model, n_classes=10, version="standard", **common)(
        images, labels
    )


def foolbox_attack(name, **settings):
    """An attack of Foolbox, linf or l2 by its name."""

    def run(model, images, labels, norm, epsilon):
        import foolbox

        wrapped = foolbox.PyTorchModel(model, bounds=(0, 1))
        attack = getattr(foolbox.attacks, norm.capitalize() + name)(**settings)
        return attack(wrapped, images, labels, epsilons=epsilon)[1]

    return run


def art_attack(name, **settings):
    """An attack of the Adversarial Robustness Toolbox; what it finds is not bounded."""

    def run(model, images, labels, norm, epsilon):
        from art.attacks import evasion
        from art.estimators.classification import PyTorchClassifier

        loss = torch.nn.CrossEntropyLoss()
        wrapped = PyTorchClassifier(model, loss, (1, 28, 28), 10, clip_values=(0.0, 1.0))
        if name == "ProjectedGradientDescent":
            sizes = {"norm": ORDERS[norm], "eps": epsilon, "eps_step": STEP * epsilon}
            attack = evasion.ProjectedGradientDescent(wrapped, **sizes, **settings)
        else:
            attack = getattr(evasion, name)(wrapped, **settings)
        return torch.from_numpy(attack.generate(images.numpy(), labels.numpy()))

    return run


A3 = "a3"
quiet = {"verbose": False}
ATTACKS = {
    "torchattacks autoattack": published_autoattack,
    "torchattacks autoattack as shipped": shipped_autoattack,
    "foolbox pgd": foolbox_attack("ProjectedGradientDescentAttack", steps=STEPS, rel_stepsize=STEP),
    "foolbox deepfool": foolbox_attack("DeepFoolAttack"),
    "foolbox cw": foolbox_attack("CarliniWagnerAttack", steps=300, binary_search_steps=5),
    "art pgd": art_attack(
        "ProjectedGradientDescent", max_iter=STEPS, num_random_init=1, batch_size=250, **quiet
    ),
    "art deepfool": art_attack("DeepFool", batch_size=250, **quiet),
    "art cw": art_attack("CarliniL2Method", max_iter=20, batch_size=200, **quiet),
}


def run(case, name, model, options):
    """Which images the attack leaves, and the seconds and the passes of images that it took."""
    images = torch.from_numpy(case["images"]).permute(0, 3, 1, 2).contiguous()
    labels = torch.from_numpy(case["labels"])
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)
    before, start = dict(model.passes), time.perf_counter()
    if name == A3:
        found = torch_a3.images_left(options.a3, model, images, labels, options.epsilon)
    else:
        found = ATTACKS[name](model, images, labels, options.norm, options.epsilon)
    seconds = time.perf_counter() - start
    passes = [model.passes[kind] - before[kind] for kind in ("gradients", "forwards")]
    # A3 tells what it leaves, the others their examples.
    robust = found if name == A3 else left(model, images, labels, found.detach(), options)
    return {"robust": robust.tolist(), "seconds": seconds, "passes": passes}


def left(model, images, labels, adversarial, options):
    """Which images keep their class, as a bool array."""
    with torch.no_grad():
        clean = model(images).argmax(1) == labels
        fooled = model(adversarial).argmax(1) != labels
    changes = (adversarial - images).flatten(1)
    reach = changes.abs().amax(1) if options.norm == "linf" else changes.norm(dim=1)
    # Whatever left the ball or the pixel range is no adversarial example.
    inside = (reach <= options.epsilon * (1 + 1e-4)) & (adversarial.flatten(1).amax(1) <= 1)
    inside &= adversarial.flatten(1).amin(1) >= 0
    return (clean & ~(fooled & inside)).numpy()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case")
    parser.add_argument("answer")
    parser.add_argument("attacks", nargs="+", choices=[*ATTACKS, A3])
    parser.add_argument("--a3", help="directory of A3's code")
    parser.add_argument("--norm", choices=ORDERS, default="linf")
    parser.add_argument("--epsilon", type=float, default=0.3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    case = np.load(options.case)
    model = LeNet5(case).eval()
    with torch.no_grad():
        # Also warms up the threads.
        answers = model(torch.from_numpy(case["images"]).permute(0, 3, 1, 2)).numpy()
    found = {"difference": float(np.abs(answers - case["answers"]).max())}
    for name in options.attacks:
        found[name] = run(case, name, model, options)
    with open(options.answer, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
