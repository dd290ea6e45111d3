"""What --help and --version print. Standard library only."""

import dataclasses
import platform
import textwrap

import robust_keras

_INDENT = " " * 6
_GENERAL = (
    ("flagfile=PATH", "Flags from a text file, one a line; # begins a comment."),
    ("version", "Print the versions of this program and of what it runs on, and stop."),
    ("help", "Print this and stop."),
)


def help_text(config_class: type, description: str) -> str:
    """The description, then every flag of a config's fields under its topic, with its default.

    Args:
        config_class: a dataclass of flags.
        description: what the program does.
    """
    lines = [description.strip(), "", "Flags, as --name=value:", ""]
    for name, text in _GENERAL:
        lines += [f"  --{name}", _filled(text)]
    for topic, fields in _topics(config_class):
        lines += ["", f"{topic}:"] * (topic is not None)
        for field in fields:
            lines += _field_lines(field)
    return "\n".join(lines)


def version_text() -> str:
    """This program's version and those of Python, TensorFlow and Keras, which are not imported."""
    # A quarter of the time that --help takes.
    import importlib.metadata

    lines = [f"robust_keras {robust_keras.__version__}", f"Python {platform.python_version()}"]
    for name, package in (("TensorFlow", "tensorflow"), ("Keras", "keras")):
        try:
            lines.append(f"{name} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            lines.append(f"{name} is not installed")
    return "\n".join(lines)


def _topics(config_class):
    """The fields under the heading of their topic's class; the config's own come first."""
    missing = {field.name: field for field in dataclasses.fields(config_class)}
    for topic in config_class.__mro__:
        names = [name for name in vars(topic).get("__annotations__", {}) if name in missing]
        if names:
            heading = None if topic is config_class else topic.__doc__.splitlines()[0].strip(".")
            yield heading, [missing.pop(name) for name in names]


def _field_lines(field):
    metadata, default = field.metadata, field.default
    names = getattr(metadata["parse"], "names", ())
    text = metadata["help"] + (f" Known: {', '.join(names)}." if names else "")
    unset = metadata.get("unset")
    if unset == "required":
        return [f"  --{field.name}=...  (required)", _filled(text)]
    if unset is not None:
        return [_filled(f"  --{field.name}=...  (default: {unset})", first=""), _filled(text)]
    if default in (None, ()):
        return [f"  --{field.name}=...", _filled(text)]
    shown = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
    return [f"  --{field.name}={shown.lower()}", _filled(text)]


def _filled(text, first=_INDENT):
    return textwrap.fill(
        text,
        80,
        initial_indent=first,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
