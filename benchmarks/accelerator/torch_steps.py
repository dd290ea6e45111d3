"""PGD and APGD as one writes them in torch; run in an environment of its own.

python torch_steps.py CASE.npz: reads one JSON object a line, {"attack", "steps", "batch",
"epsilon"}, and answers with one, {"left"}. Imports nothing of robust_keras.
"""

import json
import pathlib
import sys

import numpy as np

try:
    import torch
except ImportError as error:
    print(json.dumps({"not here": str(error)}))
    sys.exit(0)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from torch_attacks import LeNet5


def gradient_at(model, images, labels):
    """The cross-entropy of every image, and its gradient."""
    images = images.detach().requires_grad_()
    losses = torch.nn.functional.cross_entropy(model(images), labels, reduction="none")
    (gradient,) = torch.autograd.grad(losses.sum(), images)
    return losses.detach(), gradient


def into_ball(moved, images, epsilon):
    """Back into the linf ball and the range of pixels."""
    return torch.clamp(torch.clamp(moved, images - epsilon, images + epsilon), 0, 1)


def pgd(model, images, labels, epsilon, steps):
    """Steps of a tenth of epsilon from a random start (Madry et al., 2018, arXiv 1706.06083)."""
    moved = into_ball(images + epsilon * (2 * torch.rand_like(images) - 1), images, epsilon)
    for _ in range(steps):
        _, gradient = gradient_at(model, moved, labels)
        moved = into_ball(moved + 0.1 * epsilon * gradient.sign(), images, epsilon)
    return moved


def checkpoints(steps):
    """The steps after which a step size may be halved."""
    marks = [0.0, 0.22]
    while marks[-1] < 1:
        marks.append(marks[-1] + max(marks[-1] - marks[-2] - 0.03, 0.06))
    return {int(np.ceil(mark * steps)) for mark in marks[1:]}


def apgd(model, images, labels, epsilon, steps):
    """APGD on the cross-entropy (Croce and Hein, 2020, arXiv 2003.01690)."""
    noise = 2 * torch.rand_like(images) - 1
    x = into_ball(images + epsilon * noise / noise.abs().amax((1, 2, 3), True), images, epsilon)
    before = best = x
    loss, gradient = gradient_at(model, x, labels)
    best_loss, best_gradient = loss, gradient
    size = torch.full_like(loss, 2 * epsilon)[:, None, None, None]
    rises, halved, last_best, last_mark = torch.zeros_like(loss), None, best_loss, 0
    marks = checkpoints(steps)
    for step in range(1, steps + 1):
        ahead = into_ball(x + size * gradient.sign(), images, epsilon)
        momentum = x + 0.75 * (ahead - x) + 0.25 * (x - before)
        before, x = x, into_ball(momentum if step > 1 else ahead, images, epsilon)
        new_loss, gradient = gradient_at(model, x, labels)
        rises, loss = rises + (new_loss > loss), new_loss
        better = loss > best_loss
        wide = better[:, None, None, None]
        best, best_gradient = torch.where(wide, x, best), torch.where(wide, gradient, best_gradient)
        best_loss = torch.where(better, loss, best_loss)
        if step in marks:
            few = rises < 0.75 * (step - last_mark)
            stuck = torch.zeros_like(few) if halved is None else ~halved & (best_loss <= last_best)
            halved, last_best, last_mark = few | stuck, best_loss, step
            rises, wide = torch.zeros_like(rises), halved[:, None, None, None]
            size = torch.where(wide, size / 2, size)
            x, gradient = torch.where(wide, best, x), torch.where(wide, best_gradient, gradient)
    return best


ATTACKS = {"pgd": pgd, "apgd_ce": apgd}


def left(model, images, labels, asked):
    """How many images the model still gets right."""
    count = 0
    for some, their in zip(images.split(asked["batch"]), labels.split(asked["batch"]), strict=True):
        moved = ATTACKS[asked["attack"]](model, some, their, asked["epsilon"], asked["steps"])
        with torch.no_grad():
            count += (model(moved).argmax(1) == their).sum().item()
    return count


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # As TensorFlow does of its own accord.
    torch.backends.cuda.matmul.allow_tf32 = True
    case = np.load(sys.argv[1])
    model = LeNet5(case).eval().to(device)
    images = torch.from_numpy(case["images"]).permute(0, 3, 1, 2).contiguous().to(device)
    labels = torch.from_numpy(case["labels"]).to(device)
    with torch.no_grad():
        answers = model(images).cpu().numpy()
    difference = float(np.abs(answers - case["answers"]).max() / np.abs(answers).max())
    about = {"torch": torch.__version__, "device": device, "difference": difference}
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        print(json.dumps({"left": left(model, images, labels, json.loads(line))}), flush=True)


if __name__ == "__main__":
    main()
