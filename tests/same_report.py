"""Reports without what is never the same twice."""

import json


def comparable(report):
    """All of a report but times and how it was started."""
    return without(json.loads(report), {"created", "command", "seconds"})


def without(value, names):
    if isinstance(value, dict):
        return {name: without(v, names) for name, v in value.items() if name not in names}
    return [without(v, names) for v in value] if isinstance(value, list) else value
