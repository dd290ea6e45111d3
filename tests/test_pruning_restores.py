"""Pruning beside callbacks that put other weights into the model: the sparsity asked for stays."""

import functools
import warnings

import keras
import numpy as np
import pytest
from test_pruning import BATCH, IMAGES, LABELS, kernels, network, zeros

from robust_keras.training import pruning

SPARSITY, STEPS = 0.8, 8
SCHEDULE = pruning.polynomial_decay(0.0, SPARSITY, 0, 3 * STEPS, frequency=4)


class Worse(keras.callbacks.Callback):
    """Makes every epoch look worse than the one before, so that the first is the best."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = float(epoch)


def fit(model, *callbacks, epochs=5, **settings):
    settings = {"batch_size": BATCH, "shuffle": False, "verbose": 0, **settings}
    return model.fit(
        IMAGES, LABELS, epochs=epochs, callbacks=[Worse(), *callbacks], **settings
    ).history


def is_sparse(model):
    """Whether every kernel has exactly the zeros that were asked for."""
    return all(int((k == 0).sum()) == zeros(k.size, SPARSITY) for k in kernels(model))


def in_both_orders(make):
    """The callbacks with the pruning before and after them."""
    return [
        [pruning.PruneLowMagnitude(SCHEDULE), make()],
        [make(), pruning.PruneLowMagnitude(SCHEDULE)],
    ]


def test_early_stopping_restores_the_best_epoch_of_those_pruned_to_the_end():
    seen = {}
    for order in in_both_orders(
        lambda: keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    ):
        model = network()
        look = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs, model=model: seen.update({epoch: model.get_weights()})
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            history = fit(model, *order, look)
        assert is_sparse(model)
        # The third epoch is the first that is pruned to the end; patience begins there.
        assert len(history["loss"]) == 4
        for found, expected in zip(model.get_weights(), seen[2], strict=True):
            np.testing.assert_array_equal(found, expected)


def test_the_best_checkpoint_is_one_that_was_pruned_to_the_end(tmp_path):
    for number, order in enumerate(
        in_both_orders(
            lambda: keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True)
        )
    ):
        fit(network(seed=number), *order)
        assert is_sparse(keras.models.load_model(tmp_path / "best.keras"))


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_averages_that_are_swapped_in_are_pruned_ones(swap_on_epoch, tmp_path):
    for order in in_both_orders(lambda: keras.callbacks.SwapEMAWeights(swap_on_epoch)):
        model = network(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))
        seen = []
        order.append(
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs, model=model, seen=seen: seen.append(
                    is_sparse(model)
                )
            )
        )
        fit(model, *order, validation_data=(IMAGES, LABELS))
        assert is_sparse(model) and seen == [False, False, True, True, True]


def test_a_run_goes_on_with_the_zeros_that_were_backed_up(tmp_path):
    class Killed(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 4:
                raise KeyboardInterrupt

    for place in (0, 1):

        def callbacks(place=place):
            make = functools.partial(keras.callbacks.BackupAndRestore, tmp_path / str(place))
            return in_both_orders(make)[place]

        with pytest.raises(KeyboardInterrupt):
            fit(network(), *callbacks(), Killed())
        model = network(seed=1)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            history = fit(model, *callbacks())
        assert len(history["loss"]) == 1 and is_sparse(model)


def test_whatever_else_puts_weights_back_is_masked_and_told():
    model = network()
    dense = model.get_weights()
    back = keras.callbacks.LambdaCallback(on_train_end=lambda logs: model.set_weights(dense))
    for order in in_both_orders(lambda: back):
        with pytest.warns(UserWarning, match=r"masked again to a sparsity of 0\.8.*Evaluate"):
            fit(model, *order, epochs=3)
        assert is_sparse(model)
