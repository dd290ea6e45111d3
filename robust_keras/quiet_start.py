"""Starts TensorFlow without its chatter on stderr."""

import contextlib
import gc
import os
import sys
import tempfile

from robust_keras import interruption


def start_tensorflow() -> None:
    """Imports TensorFlow and looks for devices while stderr is set aside.

    TensorFlow's C++ side writes a dozen lines about CPU features and missing GPUs before its
    logging can be configured, which would bury the one line that a user has to read. Should the
    import fail, what was set aside is shown after all. Ctrl-C ends the process there and then.
    """
    _compile_at_once()
    sys.stderr.flush()
    stderr = os.dup(2)
    with _set_aside() as chatter, interruption.ending_at_once(stderr):
        os.dup2(chatter.fileno(), 2)
        started = False
        try:
            with _nothing_collected():
                import tensorflow as tf

            tf.config.list_physical_devices()
            started = True
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            if not started:
                chatter.seek(0)
                sys.stderr.write(chatter.read().decode(errors="replace"))


@contextlib.contextmanager
def _nothing_collected():
    """Nobody looks for garbage meanwhile, nor ever again in what came: that is a tenth of a run."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _set_aside():
    """A file that nobody sees; one that keeps nothing where no temporary file can be made."""
    try:
        file = tempfile.TemporaryFile()
    except OSError:
        file = open(os.devnull, "r+b")
    with file:
        yield file


def _compile_at_once():
    """Lets XLA compile a cluster before its first run and not after it.

    By default the first runs at every new shape of a batch are made by single operations, which
    round otherwise. What came first is not the same in a run that goes on as in one that was never
    stopped, and both shall end with the same bits.
    """
    flags = os.environ.get("TF_XLA_FLAGS", "")
    if "tf_xla_enable_lazy_compilation" not in flags:
        os.environ["TF_XLA_FLAGS"] = f"{flags} --tf_xla_enable_lazy_compilation=false".strip()
