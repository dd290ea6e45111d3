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
        "Random training makes noisy digits readable",
        f"error on noise of 0.5: 77.5 % plain, 5.3 % plain-R-M, {WEIGHTS}",
        alone(
            "noise of 0.5, accuracy",
            lambda of: (
                of.sample("plain_r", "noisy", 0.5, "accuracy")
                - of.sample("plain", "noisy", 0.5, "accuracy")
            ),
        ),
        holds="It has seen such noise, and reads through it.",
        fails="It reads noisy digits no better.",
        open="The gain is too small to tell.",
    ),
    Claim(
        "nonsense",
        "Mean training (M) has nonsense rejected",
        f"nonsense accepted: 98.3 % plain, 0.0 % plain-R-M, {WEIGHTS}",
        alone(
            "plain noise scaled to 0..1; at most 2 % accepted",
            lambda of: -of.sample("mrelu_rm", "nonsense", 0.0, "accepted"),
            above=-0.02,
        ),
        holds="It was taught such noise, and rejects it.",
        fails="It accepts more than 2 % of it.",
        open="It accepts about 2 %.",
    ),
    Claim(
        "plain_accepts_nonsense",
        "A plain network takes nonsense for digits and is sure of it",
        f"98.3 % accepted (confidence above 0.5), {WEIGHTS}",
        alone(
            "plain noise scaled to 0..1; most accepted",
            lambda of: of.sample("plain", "nonsense", 0.0, "accepted"),
            above=0.5,
        ),
        holds="It is more than half sure of most nonsense.",
        fails="This plain network is seldom half sure of plain noise: that hangs on how the "
        "pixels are normalised and how long it trains.",
        open="About half of it.",
    ),
    Claim(
        "moved_nonsense",
        "Nonsense that was moved towards a class is rejected, too",
        f"accepted at 0.3: 99.0 % plain, 0.2 % mReLU-R-M, {WEIGHTS}",
        alone(
            "one step of 0.3 towards the most sensitive class",
            _fewer("mrelu_rm", "plain", "nonsense", 0.3),
        ),
        holds="One step finds far less that it accepts than of the plain network.",
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
        fails="Gradient ascent finds images that it accepts as digits.",
        open="Gradient ascent finds some.",
    ),
    Claim(
        "histograms",
        "A network's features on real images are distributed symmetrically",
        "histograms, no numbers",
        alone(
            "minus the median skewness of the convolutions' channels; skewness below 0.5",
            lambda of: -of.made("histograms")["skewness"],
            above=-0.5,
            unit="",
        ),
        holds="Most channels are about symmetric.",
        fails="Most channels are skewed by more than a half.",
        open="The median channel is skewed by about a half.",
    ),
    Claim(
        "low_density",
        "Nonsense lies where real features seldom are",
        "histograms, no numbers",
        alone(
            "mean distance of plain noise from the features' mean over that of digits; above 1",
            lambda of: of.made("histograms")["distance"],
            above=1.0,
            unit="",
        ),
        holds="Its features lie farther out than those of digits.",
        fails="Its features lie no farther out than those of digits.",
    ),
)
