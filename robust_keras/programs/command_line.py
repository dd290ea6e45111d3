"""From absl flags to one frozen config, and from a user's mistake to one line and exit code 2.

Both entrypoints share this: a flag for every field of the config class, parsed and checked before
TensorFlow is imported, so that `--help` and bad values are answered at once.
"""

import dataclasses
import os
import sys
import textwrap

from absl import flags

from robust_keras.errors import InputError

EXIT_INPUT_ERROR = 2
EXIT_INTERRUPTED = 130


class _Parser(flags.ArgumentParser):
    """Lets a field's own parser word the error."""

    def __init__(self, field):
        self._field = field

    def parse(self, text):
        """The flag's value; defaults arrive already parsed."""
        return self._field.metadata["parse"].parse(text) if isinstance(text, str) else text


def _define(config_class):
    values = flags.FlagValues()
    flags.DEFINE_boolean("help", False, "Print this and stop.", short_name="h", flag_values=values)
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


def _help_text(config_class, description):
    lines = [description.strip(), "", "Flags (also from a file: --flagfile=PATH):"]
    for topic, fields in _topics(config_class):
        lines += ["", f"{topic}:"] * (topic is not None) + _help_lines(fields)
    return "\n".join(lines)


def _topics(config_class):
    """The fields under the heading of their topic's class; the config's own come first."""
    missing = {field.name: field for field in dataclasses.fields(config_class)}
    for topic in config_class.__mro__:
        names = [name for name in vars(topic).get("__annotations__", {}) if name in missing]
        if names:
            heading = None if topic is config_class else topic.__doc__.splitlines()[0].strip(".")
            yield heading, [missing.pop(name) for name in names]


def _help_lines(fields):
    lines = []
    for field in fields:
        default = field.default
        shown = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        names = getattr(field.metadata["parse"], "names", ())
        choices = f" Known: {', '.join(names)}." if names else ""
        lines.append(f"  --{field.name}" + ("" if default in (None, ()) else f"={shown.lower()}"))
        lines.append(textwrap.indent(textwrap.fill(field.metadata["help"] + choices, 90), " " * 6))
    return lines


def parse(config_class, description, arguments):
    """The config that the arguments ask for.

    Args:
        config_class: a frozen dataclass whose fields carry `parse` and `help`.
        description: what the program does, for `--help`.
        arguments: program name first, as in `sys.argv`.

    Raises:
        InputError: naming the flag, what was expected and what was received.
        SystemExit: with code 0 after `--help` has been printed.
    """
    values = _define(config_class)
    try:
        rest = values(arguments)
    except flags.UnrecognizedFlagError as error:
        raise InputError.expected(
            f"--{error.flagname}", "a flag that --help lists", f"--{error.flagname}"
        ) from error
    except (flags.Error, OSError) as error:
        raise InputError(_one_line(error)) from error
    if values.help:
        print(_help_text(config_class, description))
        raise SystemExit(0)
    if rest[1:]:
        raise InputError.expected("command line", "flags only, as --name=value", " ".join(rest[1:]))
    return config_class(**{f.name: values[f.name].value for f in dataclasses.fields(config_class)})


def _one_line(error):
    """An absl error in our wording: `flag --x=y: expected ...` becomes `--x: expected ...`."""
    text = " ".join(str(error).split())
    if isinstance(error, flags.CantOpenFlagFileError):
        return f"--flagfile: expected a file that can be read; received {text.rpartition(': ')[2]}"
    if text.startswith("Missing value for flag "):
        return f"{text.rpartition(' ')[2]}: expected a value; received none"
    if text.startswith("flag --") and "=" in text and ": " in text:
        flag, _, reason = text.removeprefix("flag ").partition(": ")
        return f"{flag.partition('=')[0]}: {reason}"
    return text


def run(main, config_class, description):
    """Runs `main(config)`; a user's mistake becomes one line on stderr and exit code 2.

    Args:
        main: takes the config and does the work; imports TensorFlow itself, so that a wrong flag
            never has to wait for it.
        config_class: see `parse`.
        description: see `parse`.
    """
    # TensorFlow's start-up chatter would bury the one line that matters; TF_CPP_MIN_LOG_LEVEL=0
    # in the environment brings it back.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        main(parse(config_class, description, sys.argv))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(EXIT_INPUT_ERROR) from None
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        raise SystemExit(EXIT_INTERRUPTED) from None
