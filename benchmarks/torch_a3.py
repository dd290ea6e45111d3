"""A3, Adaptive Auto Attack (arXiv 2203.05154), of a checkout of its authors' code, on the CPU.

Their program (github.com/liuye6666/adaptive_auto_attack) reads PNGs, runs on a GPU and prints what
is left. Here its text is read, its device and what NumPy has renamed since are replaced, and what
it knows of single images is handed out; its steps and budgets are its own. Needs pandas and pillow.
"""

import contextlib
import os
import pathlib
import sys
import tempfile
import types

import numpy as np
import torch

SOURCE = "Adaptive_Auto_Attack_main.py"
REPLACED = {
    '"cuda"': '"cpu"',
    "'cuda'": "'cpu'",
    "np.bool)": "bool)",
    "np.int)": "int)",
    "num_workers=8": "num_workers=0",
    "pin_memory=True": "pin_memory=False",
    "\nclass Normalize(": "\n    return all_atk_imgs, not_suc_index\n\nclass Normalize(",
}
# As its last line calls it for MNIST.
STEPS = 1000


def images_left(checkout, model, images, labels, epsilon, batch_size=250):
    """Which images it leaves.

    Args:
        checkout: directory that holds their program.
        model: a torch module, from images to logits.
        images: float tensor (images, 1, 28, 28), whole 255ths.
        labels: int64 tensor (images,).
        epsilon: largest change of a pixel.
        batch_size: images a pass.

    Returns:
        bool array (images,).
    """
    text = (pathlib.Path(checkout) / SOURCE).read_text(encoding="utf-8")
    for old, new in REPLACED.items():
        if old not in text:
            sys.exit(f"{checkout}/{SOURCE}: expected its text to hold {old!r}; another version?")
        text = text.replace(old, new)
    program = {"__name__": "a3"}
    with _torchvision(), tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        _write(images, labels)
        exec(compile(text, SOURCE, "exec"), program)  # noqa: S102
        attack = program["Adaptive_Auto_white_box_attack"]
        given = model, torch.device("cpu"), epsilon, True, batch_size, STEPS, "LeNet-5"
        names, left = attack(*given, data_set="mnist")
    order = [int(pathlib.Path(name).stem) for name in names]
    found = np.zeros(len(images), bool)
    found[order] = left
    return found


def _write(images, labels):
    from PIL import Image

    for number, (image, label) in enumerate(zip(images.numpy(), labels.tolist(), strict=True)):
        directory = pathlib.Path("data/mnist_test", str(label))
        os.makedirs(directory, exist_ok=True)
        Image.fromarray(np.round(255 * image[0]).astype(np.uint8)).save(directory / f"{number}.png")


@contextlib.contextmanager
def _torchvision():
    """What it takes of torchvision, whose builds seldom fit a CPU's torch."""
    transforms = types.ModuleType("torchvision.transforms")
    transforms.Compose = lambda steps: steps[0]
    transforms.ToTensor = lambda: (
        lambda image: torch.from_numpy(np.asarray(image, np.float32)[None] / 255)
    )
    package = types.ModuleType("torchvision")
    package.transforms, package.datasets = transforms, None
    before = sys.modules.get("torchvision")
    sys.modules["torchvision"] = package
    try:
        yield
    finally:
        sys.modules.pop("torchvision")
        if before is not None:
            sys.modules["torchvision"] = before
