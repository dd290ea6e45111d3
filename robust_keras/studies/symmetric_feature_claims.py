"""What Zhao and Griffin (2016) claim of a network's features, on digits and on nonsense."""

from robust_keras.studies.study import Claim, alone

FEATURES = (
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
            "plain network: mean distance of nonsense from the mean of the digits' features, over "
            "that of the digits; above 1",
            lambda of: of.made("histograms")["distance"],
            above=1.0,
            unit="",
        ),
        holds="It does; how seldom digits lie there is the next row.",
        fails="Its features lie no farther out than those of digits, channel by channel; how far "
        "out they lie together is not measured.",
    ),
    Claim(
        "seldom",
        "Nonsense lies where real features seldom are",
        "histograms, no numbers",
        alone(
            "plain network: share of nonsense's features farther out than 95 % of the digits' of "
            "the same channel, mean over the channels; above a half",
            lambda of: of.made("histograms")["beyond"],
            above=0.5,
            unit="",
        ),
        holds="More than half of its features lie where at most 5 % of those of digits do.",
        fails="Most of its features lie where 95 % of those of digits do, channel by "
        "channel; whether they do together is not measured.",
        open="About half of its features lie where at most 5 % of those of digits do.",
    ),
)
