"""Timing several functions against each other in one run."""

import statistics
import time


def interleaved(functions, rounds, now=time.perf_counter):
    """Times each function once a round, so that what slows the machine slows them all.

    Args:
        functions: name -> function without arguments that waits for its own result.
        rounds: how many times, at least 2; two more rounds warm up.
        now: clock in seconds; `time.process_time` is not lengthened by what others compute.

    Returns:
        name -> list of seconds.
    """
    seconds = {name: [] for name in functions}
    for turn in range(rounds + 2):
        for name, function in functions.items():
            begin = now()
            function()
            if turn >= 2:
                seconds[name].append(now() - begin)
    return seconds


def ratios(seconds, baseline):
    """Returns name -> (low, median, high): quartiles of the rounds' ratios to the baseline."""
    found = {}
    for name, values in seconds.items():
        pairs = zip(values, seconds[baseline], strict=True)
        found[name] = statistics.quantiles([value / base for value, base in pairs], n=4)
    return found


def milliseconds(values):
    """Returns the median and the quartiles as text, `12.3 (11.9 to 13.0)`."""
    low, median, high = statistics.quantiles([1000 * value for value in values], n=4)
    return f"{median:.1f} ({low:.1f} to {high:.1f})"


def spread(quartiles):
    """Returns the median ratio and its quartiles as text, `1.52 (1.48 to 1.55)`."""
    low, median, high = quartiles
    return f"{median:.2f} ({low:.2f} to {high:.2f})"
