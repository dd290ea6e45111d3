"""The pair of pixels that a saliency map points at, found without looking at all pairs."""

import tensorflow as tf

# Far below what scaled gradients can reach: such a pixel is in no pair.
_CLOSED = -1e30


def best_pairs(
    gains: tf.Tensor, losses: tf.Tensor, open_: tf.Tensor, candidates: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """For each image, the two pixels that help the target most and the other classes least.

    Formula: the pair p != q of largest `-alpha beta` with `alpha = a_p + a_q > 0` and
    `beta = b_p + b_q < 0`. The product grows with a and with -b, so a pixel that two others surpass
    in both is in no best pair: only those that at most one surpasses are paired. That is exact
    unless an image has more of them than `candidates`; then those of the largest
    `a / max|a| - b / max|b|` are taken.

    Args:
        gains: float32 tensor (batch, pixels), a: the target logit's derivatives.
        losses: float32 tensor (batch, pixels), b: derivatives of the sum of all other logits.
        open_: bool tensor (batch, pixels), which may be chosen.
        candidates: number of pixels paired, >= 2.

    Returns:
        `(pairs, found)`: int32 (batch, 2), and bool (batch,), whether there is such a pair.

    Reference: Papernot et al., "The Limitations of Deep Learning in Adversarial Settings", 2016,
    arXiv 1511.07528, algorithm 3.
    """
    gains, helps = (_scaled(values, open_) for values in (gains, -losses))
    pixels = gains.shape[1]
    order = tf.argsort(gains, axis=1, direction="DESCENDING", stable=True)
    ordered = tf.gather(helps, order, batch_dims=1)
    contenders = ordered > _second_largest_before(ordered)
    contenders &= ordered > _CLOSED
    size = tf.gather(gains, order, batch_dims=1) + ordered
    chosen = tf.math.top_k(tf.where(contenders, size, -float("inf")), min(candidates, pixels))
    usable = tf.math.is_finite(chosen.values)
    places = tf.gather(order, chosen.indices, batch_dims=1)
    gains, helps = (
        tf.where(usable, tf.gather(values, places, batch_dims=1), _CLOSED)
        for values in (gains, helps)
    )
    alphas, betas = (values[:, :, None] + values[:, None, :] for values in (gains, helps))
    allowed = (alphas > 0.0) & (betas > 0.0) & ~tf.eye(places.shape[1], dtype=tf.bool)
    scores = tf.where(allowed, alphas * betas, 0.0)
    scores = tf.reshape(scores, (-1, places.shape[1] ** 2))
    best = tf.argmax(scores, axis=1, output_type=tf.int32)
    pair = tf.stack([best // places.shape[1], best % places.shape[1]], axis=1)
    return tf.gather(places, pair, batch_dims=1), tf.reduce_max(scores, axis=1) > 0.0


def _scaled(values, open_):
    """Divided by the largest size among the open pixels, which changes no choice; others closed."""
    values = tf.where(open_ & tf.math.is_finite(values), values, 0.0)
    largest = tf.reduce_max(tf.abs(values), axis=1, keepdims=True)
    return tf.where(open_, tf.math.divide_no_nan(values, largest), _CLOSED)


def _second_largest_before(values):
    """The second largest of the entries to the left of each one, float32 (batch, entries)."""
    nothing = float("-inf")
    first, second = values, tf.fill(tf.shape(values), nothing)
    shift = 1
    while shift < values.shape[1]:
        # Each entry knows the two largest of the `shift` entries that end with it.
        others = [_shifted(part, shift, nothing) for part in (first, second)]
        second = tf.maximum(tf.minimum(first, others[0]), tf.maximum(second, others[1]))
        first = tf.maximum(first, others[0])
        shift *= 2
    return _shifted(second, 1, nothing)


def _shifted(values, places, filling):
    return tf.pad(values[:, :-places], [(0, 0), (places, 0)], constant_values=filling)
