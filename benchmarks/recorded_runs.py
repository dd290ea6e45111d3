"""Whether a change of the code changes a number: runs whose results are written down.

    python benchmarks/recorded_runs.py compare
    python benchmarks/recorded_runs.py record --only=linf,l2
    python benchmarks/recorded_runs.py compare --checkout=ANOTHER

compare makes every run anew and prints each number that is another one than in
tests/recorded_runs.json, exit code 1; record writes them there. Numbers are the same to the last
bit only on one kind of processor with one TensorFlow, which the recording names. Each run is a
process of its own, forked from one that has imported TensorFlow, on one thread.
"""

import argparse
import hashlib
import json
import os
import pathlib
import platform
import re
import runpy
import sys
import tempfile
import time
import traceback
from importlib import metadata

HERE = pathlib.Path(__file__).resolve().parent
RECORDING = HERE.parent / "tests" / "recorded_runs.json"
# More threads would add up in another order.
_ONE_THREAD = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}
_LEFT_OUT = {
    "command",
    "commit",
    "comparison",
    "created",
    "fingerprint",
    "hardware",
    "interval",
    "message",
    "joined",
    "outcomes",
    "output_dir",
    "pictures",
    "resolved_settings",
    "seconds",
    "training",
    "versions",
}
_LONGEST_TEXT = 200


def machine():
    """What decides the last bits of a result: the processor and the libraries."""
    libraries = ("tensorflow", "keras", "numpy")
    return {"processor": _processor()} | {name: metadata.version(name) for name in libraries}


def _processor():
    """Its kind and caches, by which kernels and blocks are chosen."""
    path = pathlib.Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor()
    first = path.read_text(encoding="utf-8").split("\n\n")[0]
    named = dict(re.findall(r"^(.+?)\s*: (.*)$", first, re.MULTILINE))
    kinds = [named.get(key, "") for key in ("vendor_id", "cpu family", "model", "cache size")]
    vectors = {flag for flag in named.get("flags", "").split() if re.match("avx|fma|sse|amx", flag)}
    return " ".join([*kinds, *sorted(vectors)])


def results(checkout, names=None):
    """Makes the runs; gives name -> {path of a number: its value}.

    Args:
        checkout: directory of the project whose programs run.
        names: of the cases whose results are wanted; all unless given. Trainings run in any case,
            since evaluations attack what they make.
    """
    from recorded_cases import CASES

    found = {}
    with tempfile.TemporaryDirectory() as directory:
        _forked(_write_models, checkout, directory)
        for case in CASES:
            began, wanted = time.monotonic(), names is None or case.name in names
            if wanted or case.program == "train.py":
                _forked(_run, checkout, directory, case.arguments())
            if wanted:
                path = pathlib.Path(directory) / case.name
                _forked(_read, checkout, directory, path)
                found[case.name] = json.loads((path / "numbers.json").read_text(encoding="utf-8"))
                print(f"{case.name}: {time.monotonic() - began:.1f} s", file=sys.stderr)
    return found


def _forked(work, checkout, directory, *arguments):
    """Does something in the directory, in a process of its own."""
    import tensorflow  # noqa: F401  (once, for all processes)

    child = os.fork()
    if not child:
        code = 1
        try:
            _become(checkout, directory)
            work(checkout, *arguments)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            # Nothing of the parent's is tidied up here, such as its temporary directory.
            os._exit(code)
    if os.waitpid(child, 0)[1]:
        said = (pathlib.Path(directory) / "output.txt").read_text(encoding="utf-8")
        raise RuntimeError(f"a run did not end well: {arguments}\n{said[-4000:]}")


def _become(checkout, directory):
    """Makes this process one of the checkout in the directory, with its output in a file."""
    os.chdir(directory)
    sys.path[:1] = [str(checkout), str(HERE)]
    with open("output.txt", "a", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)


def _write_models(checkout):
    import recorded_models

    recorded_models.write()


def _run(checkout, arguments):
    sys.argv = [str(pathlib.Path(checkout) / arguments[0]), *arguments[1:]]
    runpy.run_path(sys.argv[0], run_name="__main__")


def _read(checkout, path):
    """Writes the numbers of a run into its directory."""
    report = path / "report.json"
    found = _of_report(report) if report.exists() else _of_training(path)
    (path / "numbers.json").write_text(json.dumps(found), encoding="utf-8")


def _of_report(path):
    numbers = _flat(json.loads(path.read_text(encoding="utf-8")))
    header, *rows = (path.parent / "examples.csv").read_text(encoding="utf-8").splitlines()
    columns = zip(*(row.split(",")[1:] for row in rows), strict=True)
    table = dict(zip(header.split(",")[1:], map(" ".join, columns), strict=True))
    kept = {file.name: _digests(file) for file in path.parent.glob("adversarial_examples*.npz")}
    return numbers | {f"examples.csv {name}": text for name, text in table.items()} | _flat(kept)


def _digests(path):
    import numpy as np

    with np.load(path) as arrays:
        return {name: _digest(array.tobytes()) for name, array in arrays.items()}


def _of_training(path):
    import keras
    import numpy as np
    import tensorflow as tf
    from recorded_cases import DATA

    import layers  # noqa: F401  (registers what model.keras names)

    weights = keras.saving.load_model(path / "model.keras").weights
    served = tf.saved_model.load(str(path / "serving" / "1")).signatures["serving_default"]
    with np.load(path.parent / DATA) as arrays:
        answers = served(images=arrays["x_test"][:6] / np.float32(255))
    return _flat(
        {
            "weights": {w.path: _digest(np.asarray(w).tobytes()) for w in weights},
            "sums": {w.path: float(np.sum(np.asarray(w), dtype=np.float64)) for w in weights},
            "answers": {name: answer.numpy().tolist() for name, answer in answers.items()},
            "training.csv": (path / "logs" / "training.csv").read_text(encoding="utf-8").split(),
        }
    )


def _digest(content):
    return hashlib.sha256(content).hexdigest()[:16]


def _flat(value, path=""):
    """The leaves of a document by their paths; a list of plain values is one leaf."""
    if isinstance(value, dict):
        below = [(f"{path}.{key}" if path else key, value[key]) for key in value]
        below = [(name, item) for name, item in below if name.rpartition(".")[2] not in _LEFT_OUT]
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        below = [(f"{path}[{number}]", item) for number, item in enumerate(value)]
    elif isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return {path: _digest(value.encode())}
    else:
        return {path: value}
    return {name: leaf for key, item in below for name, leaf in _flat(item, key).items()}


def differences(recorded, found):
    """One line for every number that is another one.

    Args:
        recorded: name of a case -> {path: value}.
        found: the same, of as many of the cases as were run.
    """
    lines = []
    for name, numbers in found.items():
        before = recorded.get(name, {})
        for path in sorted(before.keys() | numbers.keys()):
            old, new = before.get(path, "nothing"), numbers.get(path, "nothing")
            if old != new:
                lines.append(f"{name}: {path}: recorded {old}; found {new}")
    return lines


def read():
    """The recording."""
    return json.loads(RECORDING.read_text(encoding="utf-8"))


def _record(found):
    kept = read()["runs"] if RECORDING.exists() else {}
    runs = ",\n".join(f"{json.dumps(name)}: {_lines(run)}" for name, run in (kept | found).items())
    text = f'{{"machine": {_lines(machine())},\n"runs": {{\n{runs}}}}}\n'
    RECORDING.write_text(text, encoding="utf-8")


def _lines(numbers):
    """An object in JSON, each of its values a line."""
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in numbers.items()]
    return "{\n" + ",\n".join(lines) + "}"


def main():
    """The program; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=("record", "compare"))
    parser.add_argument("--only", help="cases, comma separated", type=lambda text: text.split(","))
    parser.add_argument("--checkout", default=HERE.parent, help="whose programs run")
    given = parser.parse_args()
    os.environ.update(_ONE_THREAD)
    found = results(pathlib.Path(given.checkout).resolve(), given.only)
    if given.verb == "record":
        _record(found)
        return 0
    if machine() != read()["machine"]:
        print("another machine than the recorded one: numbers may differ in the last bits")
    lines = differences(read()["runs"], found)
    print(*lines, sep="\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
