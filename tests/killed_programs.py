"""Runs train.py and evaluate.py and kills them right before a file operation of choice.

python tests/killed_programs.py '[["train", ["--epochs=1"], ["os.rename", "config.json", 1]], ...]'

Each step is a program, its arguments, and None or what it must not do any more: the name of an
audit event, how the path ends, and the how-manieth of these; with "full" behind them nothing is
killed, but it and all its like fail as on a full disk. TensorFlow is imported once: every step is a
fork. Prints a list with each step's exit code and output.
"""

import atexit
import errno
import json
import os
import pathlib
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
KILLED = 137


def kill_at(event, ending, number, how="killed"):
    """Ends this process, as SIGKILL would, at the operation and without it; or lets it fail."""
    seen = []

    def hook(name, arguments):
        if name == event:
            # What is renamed is known by its new name.
            path = arguments[1 if name == "os.rename" else 0]
            if str(path).endswith(ending):
                seen.append(name)
                if len(seen) >= number:
                    if how == "full":
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    os._exit(KILLED)

    sys.addaudithook(hook)


def run(program, arguments, kill):
    """The program's exit code, in this process."""
    sys.argv = [f"{program.__name__.rpartition('.')[2]}.py", *arguments]
    if kill:
        kill_at(*kill)
    try:
        program.run()
    except SystemExit as stopped:
        return stopped.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def step(program, arguments, kill):
    """The exit code and output of the program in a child process."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            code = run(program, arguments, kill)
            sys.stdout.flush()
            atexit._run_exitfuncs()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        return code, output.read().decode(errors="replace")


def main(steps):
    """All steps, one after the other."""
    from robust_keras.programs import evaluate, train
    from robust_keras.quiet_start import start_tensorflow

    start_tensorflow()
    from robust_keras import reporting  # noqa: F401  (once for all steps)
    from robust_keras.runs import evaluation, training_run  # noqa: F401  (once for all steps)

    programs = {"train": train, "evaluate": evaluate}
    return [step(programs[name], *rest) for name, *rest in steps]


if __name__ == "__main__":
    print("\n" + json.dumps(main(json.loads(sys.argv[1]))))
