"""Other callbacks of the same `fit`, and a word after the last of them."""

import inspect
from collections.abc import Sequence
from typing import Any

import keras


def running_callbacks() -> Any:
    """The `keras.callbacks.CallbackList` whose hook is being called, or None.

    Keras tells a callback nothing of its neighbours, so this looks who called.
    """
    frame = inspect.currentframe()
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, keras.callbacks.CallbackList):
            return caller
        frame = frame.f_back
    return None


class BestEpochs:
    """Makes callbacks that keep the best epoch forget those that shall not count.

    `EarlyStopping(restore_best_weights=True)` and `ModelCheckpoint(save_best_only=True)` compare
    epochs by one number. Where an early epoch holds another kind of model, such as one that is not
    pruned yet, the best of the others is wanted.

    Args:
        callbacks: the callbacks of a `fit`, before its first epoch.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]):
        self._stopping = [
            callback
            for callback in callbacks
            if isinstance(callback, keras.callbacks.EarlyStopping) and callback.restore_best_weights
        ]
        self._saving = [
            (callback, callback.best)
            for callback in callbacks
            if isinstance(callback, keras.callbacks.ModelCheckpoint) and callback.save_best_only
        ]

    def forget(self) -> None:
        """Forgets all epochs so far; patience begins anew."""
        for callback in self._stopping:
            callback.best, callback.best_weights, callback.wait = None, None, 0
        for callback, first in self._saving:
            callback.best = first
