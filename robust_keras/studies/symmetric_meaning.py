"""What the claims on symmetric activations mean, each piece where its claim came out so."""

MEANING = {
    ("one_step", "fails"): (
        "Whatever mReLU-R-M gains against one step is not robustness: at the same epsilon a longer "
        "attack leaves it less than ten points more than a plain network."
    ),
    ("better_than_rm", "fails"): (
        "Given the same noise and nonsense to train on, the mReLU network does not keep ten points "
        "more than the plain one at 0.1: the activation is not what helps."
    ),
    ("plain_stronger", "holds"): (
        "With the same training the plain network keeps at least ten points more than the mReLU "
        "one at 0.1: the units make it weaker."
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
        "The symmetric unit does not help either where both networks are trained adversarially."
    ),
    ("cifar", "fails"): (
        "On CIFAR-10, too, a longer attack leaves mReLU-R-M less than ten points more than a plain "
        "network."
    ),
    ("nonsense", "holds"): (
        "A network that was trained on nonsense does not take plain noise for a digit."
    ),
    ("mean_alone", "holds"): (
        "On MNIST, of plain noise, the units are not what rejects: a plain network that was "
        "trained on it rejects it as well."
    ),
    ("fooling", "fails"): (
        "What is made to look like a class to mReLU-R-M is taken for a digit all the same."
    ),
}
