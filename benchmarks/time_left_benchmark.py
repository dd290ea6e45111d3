"""How good the estimate of the time left is: real evaluations, estimate against truth.

    python benchmarks/time_left_benchmark.py [--traces=DIRECTORY] [--cases=NAME;NAME]
    python benchmarks/time_left_benchmark.py --replay=DIRECTORY

Trains two small networks, runs evaluations of several kinds on them, notes what the estimate says
after every batch, and prints it beside the truth after 10, 25, 50 and 80 % of each run. The clock
is the processor's time of this process, which computes with one thread: what else a machine does
hardly matters. With --traces what happened when is kept; --replay tries the estimate as it is now
on such traces, without running anything.
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
    """Notes when it was told what, and what it said then."""

    def __init__(self, plans, images, now, **settings):
        self.events = [(now(), "plans", (plans, images, settings), None)]
        super().__init__(plans, images, now, **settings)


def _noting(name):
    def method(self, *arguments):
        answer = getattr(TimeLeft, name)(self, *arguments)
        self.events.append((self._now(), name, arguments, self.seconds()))
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
        return progress.time_left.events, clock.now()


def replay(trace):
    """The events of a trace with what the estimate says now, and the time when it ended."""
    (began, _, (plans, images, settings), _), *events = trace["events"]
    clock = [began]
    settings["after"] = [Part(**part) for part in settings["after"]]
    plans = [
        Plan([Part(**part) for part in plan["parts"]], FirstLook(**plan["look"])) for plan in plans
    ]
    left, said = TimeLeft(plans, images, lambda: clock[0], **settings), []
    for at, name, arguments, _ in events:
        clock[0] = at
        getattr(left, name)(*arguments)
        said.append((at, name, arguments, left.seconds()))
    return said, trace["end"]


def marks(events, end):
    """Estimate and truth at each mark: of the time from the first event to the end."""
    begin = events[0][0]
    for mark in MARKS:
        moment = begin + mark * (end - begin)
        at, *_, said = [event for event in events if event[0] <= moment][-1]
        yield mark, None if said is None else max(said - (moment - at), 0.0), end - moment


def row(name, events, end):
    cells = [
        "none" if said is None else f"{said:.1f} of {truth:.1f} s"
        for _, said, truth in marks(events, end)
    ]
    print(f"| {name} | {end - events[0][0]:.0f} | " + " | ".join(cells) + " |", flush=True)


def measure(cases, traces):
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        models = train(directory)
        for name in cases:
            settings = CASES[name]
            chosen = models[: settings.get("models", 1)]
            events, end = run(chosen, settings, directory / f"report {name}")
            row(name, events, end)
            if traces:
                traces.mkdir(exist_ok=True)
                lines = {"settings": settings, "events": events, "end": end}
                text = json.dumps(lines, default=lambda value: getattr(value, "tolist", vars)())
                (traces / f"{name}.json").write_text(text)


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
        row(path.stem, *replay(json.loads(path.read_text())))


if __name__ == "__main__":
    main()
