"""Kills trainings and evaluations, goes on with each, and compares what is left to an unkilled run.

    python benchmarks/survival.py [--kills=N] [--every=HOW] [--cases=NAME;NAME] [--seed=0]

Every case runs once to its end. Then it is killed --kills times in one directory, every time
elsewhere: by SIGKILL, SIGTERM and SIGINT at a random moment, and at a random file operation of each
kind: before it, in the middle of writing, and with everything lost that had not reached the disk.
With --every=killed, half or power a run is killed at its first operation, then at the second of
what goes on, and so on, through as many as the unkilled run had. The last command goes to its end,
and all that is left, weights, logs, export and report, must be equal to the bit. Prints a row for
each case, and which kills left something else; the exit code is 1 if one did.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import socket
import sys
import tempfile
import types

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
ROOT = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import killed_programs
from killed_programs import KILLED, Step

BASE = ["--dataset=mine.npz", "--model=fc5", "--epochs=3", "--batch_size=50"]
AT = "--train_epsilon=0.05"
TRAININGS = {
    "standard": ["--layer_log=always"],
    "pgd": ["--adversarial=pgd", "--adversarial_steps=2", AT],
    "free": ["--adversarial=free", "--replays=2", AT],
    "fast": ["--adversarial=fast", AT],
    "n_fgsm": ["--adversarial=n_fgsm", AT],
    "half_fgsm": ["--adversarial=half_fgsm", AT],
    "trades": ["--adversarial=trades", "--adversarial_steps=2", AT],
    "ensemble": ["--adversarial=ensemble", "--source_models=given.keras", AT],
    "ibp": ["--adversarial=ibp", AT],
    "gaussian": ["--adversarial=gaussian", AT],
    "denoiser": ["--denoiser", "--classifier=given.keras", "--denoiser_epsilon=0.05"],
    "distilled": ["--distillation_teacher=given.keras", "--temperature=20"],
    "pruned": ["--final_sparsity=0.5", "--pruning_frequency=1"],
    "pruned and averaged": ["--final_sparsity=0.5", "--pruning_frequency=1", "--ema_momentum=0.9"],
    "winners": ["--activation=kwta", "--kwta_ratio=0.5", "--kwta_final_ratio=0.2"],
    "kernels": ["--activation=kaf_elu"],
    "nuclear norm": ["--nuclear_norm=0.01"],
    "low rank": ["--model=conv_small", "--low_rank=0.5"],
    "mirrored": ["--distribute=mirrored", "--adversarial=pgd", "--adversarial_steps=2", AT],
    "two workers": ["--distribute=multi_worker", "--adversarial=pgd", "--adversarial_steps=2", AT],
}
GIVEN = ["--models=given.keras", "--dataset=mine.npz", "--batch_size=16", "--epsilons=0.01,0.05"]
EVALUATIONS = {
    "evaluation": ["--attacks=fgsm,pgd", "--keep_examples"],
    "evaluation, all of it": ["--attacks=quick", "--minimal_epsilon", "--unusual=noisy"],
    "evaluation, replicas": ["--attacks=fgsm,pgd", "--distribute=mirrored"],
    "evaluation, two workers": ["--attacks=fgsm,pgd", "--distribute=multi_worker"],
}
CASES = {name: ("train", [*BASE, *flags]) for name, flags in TRAININGS.items()}
CASES |= {name: ("evaluate", [*GIVEN, *flags]) for name, flags in EVALUATIONS.items()}
SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")
KILLS = (KILLED, -9, 130, 143)
FINISHED = ("a finished run", "which holds report.json")


def prepare():
    """A tiny data set and model in the working directory."""
    import keras
    import numpy as np

    random_numbers = np.random.default_rng(0)
    images = random_numbers.uniform(size=(160, 8, 8, 1)).astype(np.float32)
    labels = (images.mean(axis=(1, 2, 3)) > 0.5).astype(np.int64)
    np.savez("mine", x_train=images, y_train=labels, x_test=images[:40], y_test=labels[:40])
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    keras.Sequential(layers).save("given.keras")


class Case:
    """A program with its arguments, to be run and killed in a directory of each name."""

    def __init__(self, name, programs):
        self.name = name
        kind, self._arguments = CASES[name]
        self._program = programs[kind]

    def unkilled(self):
        """What it leaves; keeps the kinds of its file operations, and its seconds."""
        began = os.times().children_user
        self.ends("whole", ["note", "noted"])
        self.seconds = os.times().children_user - began
        self.operations = collections.Counter(pathlib.Path("noted").read_text().split())
        return killed_programs.left("whole")

    def ends(self, directory, end=None):
        """Whether it comes to its end, or had come there before."""
        arguments = [*self._arguments, f"--output_dir={directory}"]
        if "--distribute=multi_worker" in arguments:
            steps = self._two_workers(arguments, end)
        else:
            steps = [Step(self._program, arguments, end)]
        first, *others = steps
        code, output = first.result()
        refused = code == 2 and any(words in output for words in FINISHED)
        for other in others:
            if refused:  # for which the others wait
                other.kill()
            other.result()
        finished = code == 0 or refused
        if not finished and (not end or code not in KILLS or "Traceback" in output):
            raise RuntimeError(f"exit code {code} of {directory} at {end}: {output[-2000:]}")
        return finished

    def _two_workers(self, arguments, end):
        with socket.socket() as one, socket.socket() as other:
            for opened in (one, other):
                opened.bind(("127.0.0.1", 0))
            hosts = [f"127.0.0.1:{opened.getsockname()[1]}" for opened in (one, other)]
        tasks = [{"type": "worker", "index": place} for place in (0, 1)]
        configs = [json.dumps({"cluster": {"worker": hosts}, "task": task}) for task in tasks]
        return [
            Step(self._program, arguments, each, {"TF_CONFIG": config})
            for config, each in zip(configs, (end, None), strict=True)
        ]

    def random_end(self, generator):
        """Where to kill it, as killed_programs.py takes it."""
        how = generator.choice([*SIGNALS, "killed", "killed", "half", "power"])
        if how in SIGNALS:
            return ["signal", how, generator.uniform(0, self.seconds)]
        kind = "os.fsync" if how == "half" else generator.choice(sorted(self.operations))
        return [kind, "", generator.randint(1, self.operations[kind]), how]

    def every_end(self, how):
        """One at each of its operations."""
        return [["any", "", n + 1, how] for n in range(self.operations.total())]


def survive(case, ends):
    """Kills a case at each end, and goes on.

    Yields:
        For each run that came to its end: the ends at which it was killed before.
    """
    killed, number = [], 0
    for end in ends:
        while case.ends(f"parts{number}", end):
            yield f"parts{number}", killed
            number += 1
            if not killed:  # the end lies behind that of the whole run
                break
            killed = []
        else:
            killed.append(end)
    if killed:
        case.ends(f"parts{number}")
        yield f"parts{number}", killed


def kind_of(end):
    """The kind of an end, for the table."""
    return end[1] if end[0] == "signal" else f"{end[3]} at {end[0]}"


def row(case, arguments, generator, total):
    """Runs a case and prints its row; whether all that was left was the same."""
    whole, kills, runs, others = case.unkilled(), 0, 0, 0
    ends = [case.random_end(generator) for _ in range(arguments.kills)]
    for path, killed in survive(case, case.every_end(arguments.every) if arguments.every else ends):
        found = killed_programs.left(path)
        different = sorted(n for n in whole | found if whole.get(n) != found.get(n))
        if different:
            print(f"  {path}: other {', '.join(different)} after {killed}", file=sys.stderr)
        kills, runs, others = kills + len(killed), runs + 1, others + bool(different)
        total.update((kind_of(end), not different) for end in killed)
        shutil.rmtree(path)
    shutil.rmtree("whole")
    print(f"| {case.name} | {case.operations.total()} | {kills} | {runs} | {runs - others} |")
    sys.stdout.flush()
    return not others


def main():
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--every", choices=("killed", "half", "power"))
    parser.add_argument("--cases", default=";".join(CASES))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    same, total, programs = True, collections.Counter(), killed_programs.programs()
    print("| case | file operations | kills | runs | identical |\n|" + " --- |" * 5, flush=True)
    # Not one that goes by itself when a process ends: a fork's end would be the first.
    directory = tempfile.mkdtemp()
    try:
        os.chdir(directory)
        Step(types.SimpleNamespace(__name__="prepare", run=prepare), []).result()
        for name in arguments.cases.split(";"):
            generator = random.Random(f"{arguments.seed} {name}")
            same &= row(Case(name, programs), arguments, generator, total)
    finally:
        os.chdir(ROOT)
        shutil.rmtree(directory)
    for kind in sorted({kind for kind, _ in total}):
        print(f"{kind}: {total[kind, True]} of {total[kind, True] + total[kind, False]}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
