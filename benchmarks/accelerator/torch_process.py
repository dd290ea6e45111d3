"""A process with torch, perhaps of another Python, that is asked for one attack after another."""

import json
import pathlib
import subprocess

from accelerator.rows import NotHere, Unfit

SCRIPT = pathlib.Path(__file__).with_name("torch_steps.py")


class TorchProcess:
    """Plain torch attacks on a LeNet-5; a context manager, which ends the process.

    Args:
        python: a Python that can import torch.
        case: npz file of images, labels, the model's answers and its weights.

    Raises:
        NotHere: torch cannot be imported there.
    """

    def __init__(self, python, case):
        command = [python, str(SCRIPT), str(case)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, **pipes)
        self.about = self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        # At the end of its input it ends.
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def attack(self, **settings):
        """Runs an attack; returns what `torch_steps.py` tells of it."""
        self._process.stdin.write(json.dumps(settings) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise Unfit(f"torch's process ended with status {self._process.wait()}")
        found = json.loads(line)
        if "not here" in found:
            self.__exit__()
            raise NotHere(found["not here"])
        return found
