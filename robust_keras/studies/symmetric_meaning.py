"""What the claims on symmetric activations mean, each piece where its claim came out so."""

MEANING = {
    ("one_step", "fails"): (
        "Whatever mReLU-R-M gains against one step is not robustness: at the same epsilon a longer "
        "attack leaves it less than ten points more than a plain network."
    ),
    ("better_than_rm", "fails"): (
        "Given the same noise and nonsense to train on, the mReLU network does not keep ten points "
        "more than the plain one at 0.1: units, RBF output and hybrid loss together do not add it."
    ),
    ("plain_stronger", "holds"): (
        "With the same training the plain network keeps at least ten points more than the mReLU "
        "one at 0.1: units, RBF output and hybrid loss together make it weaker."
    ),
    ("plain_stronger_than_rbf", "holds"): (
        "With the same training the plain network keeps at least ten points more than the RBF one "
        "at 0.1."
    ),
    ("random_adversarial", "holds"): (
        "Noise in training helps a plain network at 0.1, without any symmetric unit."
    ),
    ("random_farther", "fails"): (
        "At 0.2 a longer attack leaves a plain network with noise in training less than ten points "
        "more than one without."
    ),
    ("adversarial", "holds"): (
        "Trained adversarially, mReLU keeps more than ReLU: what the units do depends on the "
        "training."
    ),
    ("adversarial", "fails"): (
        "On MNIST, at 0.1, mReLU does not help where both networks are trained adversarially."
    ),
    ("rbf_adversarial", "fails"): "On MNIST, at 0.1, RBF does not help there either.",
    (
        "cifar_adversarial",
        "fails",
    ): "On CIFAR-10, at 0.03, mReLU does not help where both are trained adversarially.",
    (
        "cifar_adversarial",
        "open",
    ): "On CIFAR-10 it is open whether mReLU helps where both are trained adversarially.",
    (
        "cifar_adversarial",
        "holds",
    ): "On CIFAR-10, at 0.03, mReLU helps where both are trained adversarially.",
    ("cifar", "fails"): (
        "On CIFAR-10, too, a longer attack leaves mReLU-R-M less than ten points more than a plain "
        "network."
    ),
    ("plain_reads_noise", "holds"): (
        "Noise in training (R) makes noisy digits readable, with ordinary units as well: plain-R-M "
        "reads more of them than mReLU-R-M."
    ),
    ("mrelu_noise", "holds"): (
        "Without such training mReLU reads more noisy digits than the plain network."
    ),
    ("clean", "holds"): "On MNIST mReLU-R-M costs less than two points of clean accuracy.",
    (
        "cifar_clean_rm",
        "open",
    ): "Whether mReLU-R-M costs two points of clean accuracy on CIFAR-10 is open.",
    (
        "cifar_clean_rm",
        "fails",
    ): "On CIFAR-10 mReLU-R-M costs more than two points of clean accuracy.",
    ("cifar_clean_normalised", "fails"): (
        "On CIFAR-10 mReLU is no more accurate than a plain network with batch normalisation, "
        "which the source's plain network there does not have."
    ),
    ("nonsense", "holds"): (
        "On MNIST a network that was trained on nonsense (M) does not take such noise for a digit."
    ),
    (
        "cifar_nonsense",
        "fails",
    ): "On CIFAR-10 mReLU-R-M takes more than 2 % of such noise for an object.",
    ("mean_alone", "holds"): (
        "On MNIST the units are not what rejects it: a plain network that was trained on it "
        "rejects it as well."
    ),
    ("moved_nonsense_share", "open"): (
        "Of nonsense that was moved one step towards a class, whether mReLU-R-M takes less than a "
        "tenth is open."
    ),
    ("cifar_moved_nonsense_share", "fails"): (
        "On CIFAR-10 mReLU-R-M takes more than a fifth of nonsense that was moved for an object: "
        "the tables tell how much."
    ),
    ("fooling", "fails"): (
        "What 300 steps of gradient ascent make to look like a class to mReLU-R-M is taken for a "
        "digit (ten images a network)."
    ),
}
