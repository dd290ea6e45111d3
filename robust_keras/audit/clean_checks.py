"""Whether there was anything to measure: what the model makes of the images before any attack."""

import numpy as np

from robust_keras.attacks.loops.fooled import correct
from robust_keras.attacks.loops.prediction import predict
from robust_keras.engine.results import Evaluation
from robust_keras.findings import check_names
from robust_keras.findings.audit_check import AuditCheck, not_applicable, percent
from robust_keras.proportions import clearly_more, wilson
from robust_keras.serving.classifier import Classifier
from robust_keras.serving.views.pixels import without_a_name

_FEW = 20
# Enough to see that something is turned round, few enough to cost nothing beside the attacks.
_READ = 512
# A difference that is no matter of taste, and so sure that several readings can be tried.
_BETTER, _SURE = 0.05, 1e-4


def better_than_guessing(evaluation: Evaluation, labels: np.ndarray, classes: int) -> AuditCheck:
    """Whether the clean accuracy is above what a constant answer reaches.

    Args:
        evaluation: `Evaluation`.
        labels: int array (images,).
        classes: number of classes that mean something.

    Returns:
        An `AuditCheck`: failed where the lower end of the accuracy's 95 % Wilson interval is not
        above the largest share of one class among these images, nor above 1 / classes.
    """
    # A report knows by this name that no robustness was measured.
    name = check_names.CLEAN_ACCURACY
    right, images = int(evaluation.clean_correct.sum()), len(labels)
    guess = max(float(np.bincount(labels).max()) / images, 1.0 / classes)
    low, high = wilson(right, images)
    evidence = {"images": images, "correct": right, "interval": [low, high], "guess": guess}
    if low > guess:
        message = (
            f"Without attack the model is right on {percent(right / images)} of the images; "
            f"always the same answer would be right on {percent(guess)}."
        )
        return AuditCheck(name, True, message, evidence)
    return AuditCheck(name, False, _no_better(right, images, guess, low, high), evidence)


def _no_better(right, images, guess, low, high):
    end = "No robustness was measured."
    if not right:
        return f"Not one image is classified correctly, so there was nothing to attack. {end}"
    found = (
        f"Without attack the model is right on {right} of {images} images (95 % interval "
        f"{percent(low)} to {percent(high)}), and always the same answer would be right on "
        f"{percent(guess)}: that cannot be told from guessing. {end}"
    )
    if images < _FEW:
        return f"{found} Take more images (--examples)."
    return (
        f"{found} Check the pixels that the model takes (--model_pixels), the order of its "
        "channels and classes, and whether it is trained."
    )


def other_readings(
    classifier: Classifier, images: np.ndarray, labels: np.ndarray, batch_size: int
) -> AuditCheck:
    """Whether the model would know the images much better if they were read in another way.

    Channels in reverse order (RGB for BGR), light for dark, rows for columns, another scale: where
    one of these gets clearly more images right (a paired exact test), the model was trained on
    other images than it is shown here.

    Args:
        classifier: has `logits`.
        images: float32 array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        batch_size: images a pass.
    """
    name = check_names.READING_OF_THE_IMAGES
    images, labels = images[:_READ], labels[:_READ]
    size = min(batch_size, len(images))
    as_it_is = correct(predict(classifier, images, size), labels)
    found = {}
    for words, read in _readings(images).items():
        found[words] = correct(predict(classifier, read.astype(np.float32), size), labels)
    shares = {words: float(right.mean()) for words, right in found.items()}
    evidence = {"images": len(labels), "as_given": float(as_it_is.mean()), **shares}
    words = max(shares, key=shares.__getitem__)
    if not _clearly_better(found[words], as_it_is):
        message = "No other reading of the pixels fits the model better."
        return AuditCheck(name, True, message, evidence)
    message = (
        f"With {words} the model is right on {percent(shares[words])} of the images instead of "
        f"{percent(as_it_is.mean())}: it was trained on images of that kind. Give it such images "
        "(for another range of values --model_pixels); the figures here say nothing of it."
    )
    return AuditCheck(name, False, message, evidence)


def _readings(images):
    """Other ways in which these images may be meant, by the words for them."""
    readings = {
        "light and dark exchanged": 1.0 - images,
        "pixels in -1..1": 2.0 * images - 1.0,
        **{words: show(images) for words, show in without_a_name(images).items()},
        # Last, as simple images are recognised in black and white as well.
        "pixels in 0..255": 255.0 * images,
    }
    if images.shape[-1] == 3:
        readings["the channels in reverse order (BGR instead of RGB)"] = images[..., ::-1]
    if images.shape[1] == images.shape[2]:
        readings["rows and columns exchanged"] = images.transpose(0, 2, 1, 3)
    return readings


def class_order(
    classifier: Classifier, images: np.ndarray, labels: np.ndarray, batch_size: int
) -> AuditCheck:
    """Whether the model seems to number the classes in another order than the data set does.

    Half of the images tell which class each answer stands for most often, one answer a class; it
    fails where that gets clearly more of the other half right (a paired exact test).

    Args:
        classifier: has `logits`.
        images: float32 array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        batch_size: images a pass.
    """
    name = check_names.ORDER_OF_THE_CLASSES
    images, labels = images[:_READ], labels[:_READ]
    if len(labels) < _FEW:
        return not_applicable(name, f"that takes {_FEW} images")
    answers = np.argmax(predict(classifier, images, min(batch_size, len(images))), axis=1)
    # By chance, as labels may come in turn.
    order = np.random.default_rng(_READ).permutation(len(labels))
    half = len(order) // 2
    meaning = _meanings(answers[order[:half]], labels[order[:half]])
    held_out, truth = answers[order[half:]], labels[order[half:]]
    read = np.array([meaning.get(int(answer), int(answer)) for answer in held_out])
    plain, moved = held_out == truth, read == truth
    evidence = {
        "images": len(truth),
        "as_given": float(plain.mean()),
        "reordered": float(moved.mean()),
    }
    if not _clearly_better(moved, plain):
        message = "The model numbers the classes as the data set does."
        return AuditCheck(name, True, message, evidence)
    changed = [f"{a} for {b}" for a, b in sorted(meaning.items()) if a != b]
    message = (
        "The model seems to number the classes otherwise than the data set: it answers "
        f"{', '.join(changed[:5])}{' and so on' if len(changed) > 5 else ''}. In that order it is "
        f"right on {percent(moved.mean())} of the images instead of {percent(plain.mean())}. "
        "Bring the labels of the data set into the model's order."
    )
    return AuditCheck(name, False, message, evidence)


def _meanings(answers, labels):
    """The class that each answer stands for most often; the commonest pairs first, each once."""
    pairs, counts = np.unique(np.stack([answers, labels]), axis=1, return_counts=True)
    meaning = {}
    for place in np.argsort(-counts, kind="stable"):
        answer, label = (int(part) for part in pairs[:, place])
        if answer not in meaning and label not in meaning.values():
            meaning[answer] = label
    return meaning


def _clearly_better(first, second):
    gain = float(first.mean() - second.mean())
    alone = int((first & ~second).sum()), int((second & ~first).sum())
    return gain > _BETTER and clearly_more(*alone, level=_SURE)
