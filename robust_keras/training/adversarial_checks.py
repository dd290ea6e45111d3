"""What adversarial training cannot do, told before it begins."""

from robust_keras.errors import InputError


def check_replicas(strategy, settings):
    """Refuses several replicas where a step needs the whole batch or moves statistics.

    Args:
        strategy: the classifier's `tf.distribute` strategy.
        settings: an `AdversarialSettings`.

    Raises:
        ValueError: there are several.
    """
    replicas = strategy.num_replicas_in_sync
    alone = settings.method in ("free", "ensemble")
    if replicas > 1 and (alone or settings.crafting_training_mode):
        what = settings.method if alone else "crafting_training_mode"
        raise ValueError(f"{what} runs on one replica only. Received: {replicas} replicas")


def check_head(head, settings, name):
    """Refuses several sigmoids where a method needs to know one class among all.

    Args:
        head: the classifier's `Head`.
        settings: an `AdversarialSettings`.
        name: the classifier's.

    Raises:
        InputError: divergences, other models or accuracies would be meaningless.
    """
    needs_classes = settings.method in ("trades", "ensemble") or settings.clean_accuracy
    if needs_classes and not head.is_distribution:
        raise InputError.expected(
            f"model '{name}'",
            "logits, a softmax or one sigmoid at the end (several sigmoids tell no class; pgd and "
            "fast train them)",
            f"a sigmoid of {head.columns} columns",
        )
