"""What Zhao and Griffin (2016) claim of noise, nonsense and features."""

from robust_keras.studies.study import Claim, alone

WEIGHTS = "by the published weights"


def _fewer(better, worse, kind, strength, field="accepted"):
    """By how much less of what is no image one network accepts."""
    return lambda of: (
        of.sample(worse, kind, strength, field) - of.sample(better, kind, strength, field)
    )


NONSENSE_CLAIMS = (
    Claim(
        "random_noise",
        "Random training (R) makes noisy digits readable",
        f"error on noise of 0.5: 77.5 % plain, 5.3 % plain-R-M (none of plain-R), {WEIGHTS}",
        alone(
            "noise of 0.5: accuracy of plain-R less that of plain; more",
            lambda of: (
                of.sample("plain_r", "noisy", 0.5, "accuracy")
                - of.sample("plain", "noisy", 0.5, "accuracy")
            ),
        ),
        holds="It reads more of them: it was trained on such noise.",
        fails="It reads noisy digits no better.",
        open="The gain is too small to tell.",
    ),
    Claim(
        "nonsense",
        "mReLU-R-M, by mean training (M), rejects nonsense",
        f"nonsense accepted: 98.3 % plain, 0.0 % mReLU-R-M, {WEIGHTS}",
        alone(
            "plain noise; at most 2 % accepted",
            lambda of: -of.sample("mrelu_rm", "nonsense", 0.0, "accepted"),
            above=-0.02,
        ),
        holds="It was trained on much the same noise, and rejects it; M without R is not measured "
        "here.",
        fails="It accepts more than 2 % of it.",
        open="It accepts about 2 %.",
    ),
    Claim(
        "plain_accepts_nonsense",
        "A plain network takes nonsense for digits and is sure of it",
        f"98.3 % accepted (confidence above 0.5), {WEIGHTS}",
        alone(
            "plain noise, the plain network; most accepted",
            lambda of: of.sample("plain", "nonsense", 0.0, "accepted"),
            above=0.5,
        ),
        holds="It is more than half sure of most nonsense.",
        fails="It accepts less than half of plain noise.",
        open="How much it accepts differs too much from training to training.",
    ),
    Claim(
        "moved_nonsense",
        "mReLU-R-M accepts less than plain of nonsense that was moved towards a class",
        f"accepted at 0.3: 99.0 % plain, 0.2 % mReLU-R-M, {WEIGHTS}",
        alone(
            "one step of 0.3 towards the most sensitive class: accepted by plain less that by "
            "mReLU-R-M; more",
            _fewer("mrelu_rm", "plain", "nonsense", 0.3),
        ),
        holds="It accepts less of it; that it accepts none is not said.",
        fails="It accepts as much as the plain network.",
    ),
    Claim(
        "fooling",
        "Asked here: mReLU-R-M also rejects nonsense that climbs towards a class",
        "not measured there",
        alone(
            "gradient ascent of 300 steps; at most one class of ten accepted",
            lambda of: -of.fooling("mrelu_rm", "fooling_gradient", "accepted"),
            above=-0.1,
        ),
        holds="Gradient ascent hardly finds an image that it accepts.",
        fails="For more than one class in ten gradient ascent finds an image that it accepts.",
        open="Gradient ascent finds some.",
    ),
    Claim(
        "histograms",
        "A network's features on real images are distributed symmetrically",
        "histograms, no numbers",
        alone(
            "plain network: minus the median absolute skewness of the convolutions' channels, "
            "before the activation; skewness below 0.5",
            lambda of: -of.made("histograms")["skewness"],
            above=-0.5,
            unit="",
        ),
        holds="Half of the channels and more are about symmetric; whether they are normally "
        "distributed is not measured.",
        fails="Half of the channels and more are skewed by more than a half.",
        open="The median channel is skewed by about a half.",
    ),
    Claim(
        "low_density",
        "Nonsense lies farther out than real features",
        "histograms, no numbers: it lies where real features seldom are",
        alone(
            "plain network: mean distance of uniform noise from the mean of the digits' features, "
            "over that of the digits; above 1",
            lambda of: of.made("histograms")["distance"],
            above=1.0,
            unit="",
        ),
        holds="It does; a mean distance does not tell how seldom digits lie there.",
        fails="Its features lie no farther out than those of digits.",
    ),
)
