"""From absl flags to one frozen config, and from a user's mistake to one line and exit code 2.

Both entrypoints share this: a flag for every field of the config class, parsed and checked before
TensorFlow is imported, so that `--help` and bad values are answered at once.
"""

import dataclasses
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags

from robust_keras import interruption, standard_streams
from robust_keras.errors import InputError
from robust_keras.programs.help_text import help_text, version_text
from robust_keras.settings import flagfile
from robust_keras.suggestion import did_you_mean

EXIT_FAILED, EXIT_INPUT_ERROR = 1, 2
# More would only be a mistake: a list of files where a pattern was meant.
_MOST_ARGUMENTS = 10_000
# By name: TensorFlow has not been imported where there is nothing to recognise.
_TENSORFLOW_ERRORS = "tensorflow.python.framework.errors_impl"
_OUT_OF_MEMORY = {"MemoryError", "_ArrayMemoryError", "ResourceExhaustedError"}


class _Parser(flags.ArgumentParser):
    """Lets a field's own parser word the error."""

    def __init__(self, field):
        self._field = field

    def parse(self, text):
        """The flag's value; defaults arrive already parsed."""
        if not isinstance(text, str):
            return text
        try:
            return self._field.metadata["parse"].parse(text)
        except ValueError as error:
            raise InputError(f"--{self._field.name}: {error}") from error


def _define(config_class):
    values = flags.FlagValues()
    flags.DEFINE_boolean("help", False, "Print this and stop.", short_name="h", flag_values=values)
    flags.DEFINE_boolean("version", False, "Print versions and stop.", flag_values=values)
    for field in dataclasses.fields(config_class):
        flag = flags.Flag(
            parser=_Parser(field),
            serializer=None,
            name=field.name,
            default=field.default,
            help_string=field.metadata["help"],
            boolean=field.type is bool,
        )
        flags.DEFINE_flag(flag, flag_values=values)
    return values


def parse(config_class: type, description: str, arguments: Sequence[str]) -> Any:
    """The config that the arguments ask for.

    Args:
        config_class: a frozen dataclass whose fields carry `parse` and `help`.
        description: what the program does, for `--help`.
        arguments: program name first, as in `sys.argv`.

    Raises:
        InputError: naming the flag, what was expected and what was received.
        SystemExit: with code 0 after `--help` or `--version` has been printed.
    """
    values = _define(config_class)
    rest = _parsed(values, [arguments[0], *_checked(arguments[1:])])
    for wanted, text in (
        (values.version, version_text),
        (values.help, lambda: help_text(config_class, description)),
    ):
        if wanted:
            print(text())
            raise SystemExit(0)
    if rest[1:]:
        received = " ".join(text or "''" for text in rest[1:])
        raise InputError.expected("command line", "flags only, as --name=value", received)
    return config_class(**{f.name: values[f.name].value for f in dataclasses.fields(config_class)})


def _checked(arguments):
    """The arguments with flag files replaced by what they say, all of it text."""
    expanded = flagfile.expand(arguments)
    if len(expanded) > _MOST_ARGUMENTS:
        raise InputError.expected(
            "command line", f"at most {_MOST_ARGUMENTS} flags", f"{len(expanded)}"
        )
    for argument in (*arguments, *expanded):
        # Bytes that are no UTF-8 arrive as half characters, which no report can hold.
        if any(0xD800 <= ord(character) < 0xE000 for character in argument):
            raise InputError.expected("command line", "text in UTF-8", argument)
    return expanded


def _parsed(values, arguments):
    """Sets the flags; returns what is none."""
    try:
        return values(arguments, known_only=False)
    except flags.UnrecognizedFlagError as error:
        known = [name for name in values if name != "h"]
        known += [f"no{name}" for name in known if values[name].boolean]
        name, expected = error.flagname, "a flag that --help lists"
        meant = did_you_mean(name, known, mark="--")
        raise InputError(
            f"{InputError.expected(f'--{name}', expected, f'--{name}')}{meant}"
        ) from error
    except flags.Error as error:
        if isinstance(error.__context__, InputError):
            raise error.__context__ from None
        raise InputError(_one_line(error)) from error


def _one_line(error):
    """An absl error in our wording."""
    text = " ".join(str(error).split())
    if text.startswith("Missing value for flag "):
        return f"{text.rpartition(' ')[2]}: expected a value; received none"
    if text.startswith("flag --") and "=" in text and ": " in text:
        name, _, reason = text.removeprefix("flag ").partition(": ")
        return f"{name.partition('=')[0]}: {reason}"
    return text


def run(main: Callable, config_class: type, description: str) -> None:
    """Runs `main(config)`; a user's mistake becomes one line on stderr and exit code 2.

    An operation that fails in TensorFlow, in a model or on a device, becomes one line and exit
    code 1, with the traceback in a file.

    Args:
        main: takes the config and does the work; imports TensorFlow itself, so that a wrong flag
            never has to wait for it.
        config_class: see `parse`.
        description: see `parse`.
    """
    # TensorFlow's start-up chatter would bury the one line that matters; TF_CPP_MIN_LOG_LEVEL=0
    # in the environment brings it back.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with standard_streams.forgiving():
        try:
            with interruption.unwinding():
                main(parse(config_class, description, sys.argv))
        except InputError as error:
            _leave(f"error: {error}", EXIT_INPUT_ERROR)
        except interruption.Terminated:
            _leave("terminated; the same command goes on from here", interruption.EXIT_TERMINATED)
        except KeyboardInterrupt:
            _leave("interrupted; the same command goes on from here", interruption.EXIT_INTERRUPTED)
        except Exception as error:
            if type(error).__name__ in _OUT_OF_MEMORY:
                _leave(f"error: {_out_of_memory(error)}", EXIT_INPUT_ERROR)
            if type(error).__module__ != _TENSORFLOW_ERRORS:
                raise
            _leave(f"error: {_of_tensorflow(error)}", EXIT_FAILED)


def _leave(line, code):
    print(line, file=sys.stderr)
    raise SystemExit(code) from None


def _out_of_memory(error):
    reason = str(getattr(error, "message", error)).strip().splitlines() or ["no more"]
    expected = (
        "less of it to be needed (a smaller --batch_size; the same command goes on from here)"
    )
    return InputError.expected("memory", expected, reason[0])


def _of_tensorflow(error):
    """One line about an operation that failed; where it did is kept in a file."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="robust_keras-error-", suffix=".txt", delete=False
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    reason = (error.message or type(error).__name__).strip().splitlines()[0]
    if type(error).__name__ == "UnavailableError":
        return (
            "another process of the cluster has stopped, and so does this one; what TensorFlow "
            f"says of it is in {file.name}; the same command in every process goes on from here"
        )
    return (
        f"an operation of TensorFlow failed ({type(error).__name__}: {reason[:200]}); where, is "
        f"told in {file.name}; once it is mended, the same command goes on from here"
    )
