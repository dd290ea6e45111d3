"""How good the estimate of the time left is: real evaluations, estimate against truth.

    python benchmarks/time_left_benchmark.py [--traces=DIRECTORY] [--cases=NAME;NAME]

Trains two small networks, runs evaluations of several kinds on them, notes what the estimate says
after every batch, and prints it beside the truth after 10, 25 and 50 % of each run. With --traces
what happened when is kept, so that an estimate can be tried on it without running anything.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from robust_keras import reporting
from robust_keras.progress import RunProgress
from robust_keras.runs import evaluation
from robust_keras.settings.config import EvaluateConfig
from robust_keras.time_left import TimeLeft

MARKS = (0.1, 0.25, 0.5)
NETWORKS = {
    "standard": ["--model=lenet5", "--epochs=2"],
    "robust": ["--model=lenet5", "--epochs=4", "--adversarial=fast", "--train_epsilon=0.2"],
}
CASES = {
    "default": {"examples": 200},
    "quick, two models": {"examples": 200, "attacks": ("quick",), "models": 2},
    "autoattack": {"examples": 60, "attacks": ("autoattack",), "epsilons": (0.1, 0.2)},
    "in turn": {
        "examples": 200,
        "attacks": ("fgsm", "pgd", "apgd_ce", "square"),
        "epsilons": (0.1, 0.2),
        "survivors_only": True,
    },
    "everything": {
        "examples": 60,
        "attacks": ("fgsm", "pgd"),
        "epsilons": (0.1, 0.2),
        "minimal_epsilon": True,
        "minimal_attack": "pgd",
        "transfer": True,
        "unusual": ("noisy", "fooling_gradient"),
        "models": 2,
    },
    "l2": {
        "examples": 200,
        "attacks": ("pgd", "apgd_ce"),
        "norm": "l2",
        "epsilons": (0.5, 1.0, 2.0, 3.0),
    },
}
EVENTS = ("begin", "end", "start", "share", "finish", "note")


class Recorded(TimeLeft):
    """Notes when it was told what, and what it said then."""

    def __init__(self, *arguments, **settings):
        self.events = []
        super().__init__(*arguments, **settings)


def _noting(name):
    def method(self, *arguments):
        answer = getattr(TimeLeft, name)(self, *arguments)
        self.events.append((time.monotonic(), name, arguments, self.seconds()))
        return answer

    return method


for event in EVENTS:
    setattr(Recorded, event, _noting(event))


def train(directory):
    for name, flags in NETWORKS.items():
        command = [sys.executable, "train.py", f"--output_dir={directory / name}", *flags]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return tuple(str(directory / name / "serving") for name in NETWORKS)


def run(models, settings, directory):
    """The events of one evaluation and the time when it ended."""
    evaluation.TimeLeft = Recorded
    config = EvaluateConfig(
        models=models,
        output_dir=str(directory),
        **{k: v for k, v in settings.items() if k != "models"},
    )
    with RunProgress() as progress:
        report, examples, tables = evaluation.evaluate(config, progress=progress)
        with progress.part("report"):
            reporting.write(report, examples, directory, tables)
        return progress.time_left.events, time.monotonic()


def marks(events, end):
    """Estimate and truth at each mark: of the time from the first event to the end."""
    begin = events[0][0]
    for mark in MARKS:
        moment = begin + mark * (end - begin)
        known = [(at, said) for at, *_, said in events if at <= moment and said is not None]
        if not known:
            yield mark, None, end - moment
            continue
        at, said = known[-1]
        yield mark, max(said - (moment - at), 0.0), end - moment


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=pathlib.Path)
    parser.add_argument("--cases", default=";".join(CASES))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        models = train(directory)
        print(
            "| evaluation | seconds | " + " | ".join(f"at {m:.0%}" for m in MARKS) + " |",
            flush=True,
        )
        for name, settings in CASES.items():
            if name not in arguments.cases.split(";"):
                continue
            chosen = models[: settings.get("models", 1)]
            events, end = run(chosen, settings, directory / f"report {name}")
            cells = [
                "none" if said is None else f"{said:.0f} of {truth:.0f} s"
                for _, said, truth in marks(events, end)
            ]
            print(f"| {name} | {end - events[0][0]:.0f} | " + " | ".join(cells) + " |", flush=True)
            if arguments.traces:
                arguments.traces.mkdir(exist_ok=True)
                lines = {"settings": settings, "events": events, "end": end}
                text = json.dumps(lines, default=vars)
                (arguments.traces / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main()
