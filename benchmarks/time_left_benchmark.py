"""How good the estimate of the time left is: real evaluations, estimate against truth.

    python benchmarks/time_left_benchmark.py [--traces=DIRECTORY] [--cases=NAME;NAME]
    python benchmarks/time_left_benchmark.py --replay=DIRECTORY

Trains two small networks, runs evaluations of several kinds on them, and prints what the estimate
says beside the truth after 10, 25, 50 and 80 % of each run. The clock is the processor's time of
this process, which computes with one thread: what else a machine does hardly matters. With --traces
what happened when is kept; --replay tries the estimate as it is now on such traces, without running
anything.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

# Before TensorFlow: with one thread, time passes on the processor as it does on a clock.
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from robust_keras import reporting
from robust_keras.engine.journal import Unrecorded
from robust_keras.progress import RunProgress
from robust_keras.runs import evaluation
from robust_keras.settings.config import EvaluateConfig
from robust_keras.time_left import Plan, TimeLeft
from robust_keras.time_spent import FirstLook, Part

MARKS = (0.1, 0.25, 0.5, 0.8)
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


class ProcessorClock(Unrecorded):
    """A journal that keeps nothing, on whose clock this process alone runs."""

    now = staticmethod(time.process_time)


class Recorded(TimeLeft):
    """Notes when it was told what."""

    def __init__(self, plans, images, now, **settings):
        self.events = [(now(), "plans", (plans, images, settings))]
        super().__init__(plans, images, now, **settings)


def _noting(name):
    def method(self, *arguments):
        self.events.append((self._now(), name, arguments))
        return getattr(TimeLeft, name)(self, *arguments)

    return method


for event in EVENTS:
    setattr(Recorded, event, _noting(event))


def train(directory):
    for name, flags in NETWORKS.items():
        command = [sys.executable, "train.py", f"--output_dir={directory / name}", *flags]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return tuple(str(directory / name / "serving") for name in NETWORKS)


def run(models, settings, directory):
    """The trace of one evaluation: what happened when, and when it ended, as plain values."""
    evaluation.TimeLeft = Recorded
    clock = ProcessorClock()
    config = EvaluateConfig(
        models=models,
        output_dir=str(directory),
        **{k: v for k, v in settings.items() if k != "models"},
    )
    with RunProgress(now=clock.now) as progress:
        report, examples, tables = evaluation.evaluate(config, journal=clock, progress=progress)
        with progress.part("report"):
            reporting.write(report, examples, directory, tables)
        trace = {"events": progress.time_left.events, "end": clock.now()}
    return json.loads(json.dumps(trace, default=plain))


def plain(value):
    return value.tolist() if hasattr(value, "tolist") else vars(value)


def estimates(trace):
    """Estimate and truth at each mark of the time from the plans to the end of a trace."""
    began, end = trace["events"][0][0], trace["end"]
    for mark in MARKS:
        moment = began + mark * (end - began)
        yield estimate(trace["events"], moment), end - moment


def estimate(events, moment):
    """What the estimate, as it is now, says at a moment of a trace."""
    (began, _, (plans, images, settings)), *told = events
    clock = [began]
    settings = settings | {"after": [Part(**part) for part in settings["after"]]}
    plans = [
        Plan([Part(**part) for part in plan["parts"]], FirstLook(**plan["look"])) for plan in plans
    ]
    left = TimeLeft(plans, images, lambda: clock[0], **settings)
    for at, name, arguments in told:
        if at > moment:
            break
        clock[0] = at
        getattr(left, name)(*arguments)
    clock[0] = moment
    return left.seconds()


def row(name, trace):
    cells = [f"{said:.1f} of {truth:.1f} s" for said, truth in estimates(trace)]
    seconds = trace["end"] - trace["events"][0][0]
    print(f"| {name} | {seconds:.0f} | " + " | ".join(cells) + " |", flush=True)


def measure(cases, traces):
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        models = train(directory)
        for name in cases:
            settings = CASES[name]
            chosen = models[: settings.get("models", 1)]
            trace = run(chosen, settings, directory / f"report {name}")
            row(name, trace)
            if traces:
                traces.mkdir(exist_ok=True)
                (traces / f"{name}.json").write_text(json.dumps(trace))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=pathlib.Path)
    parser.add_argument("--replay", type=pathlib.Path)
    parser.add_argument("--cases", default=";".join(CASES))
    arguments = parser.parse_args()
    cells = " | ".join(f"at {mark:.0%}" for mark in MARKS)
    print(f"| evaluation | seconds | {cells} |\n|" + " --- |" * (2 + len(MARKS)), flush=True)
    if arguments.replay is None:
        return measure(arguments.cases.split(";"), arguments.traces)
    for path in sorted(arguments.replay.glob("*.json")):
        row(path.stem, json.loads(path.read_text()))


if __name__ == "__main__":
    main()
