"""What Peconi (2020) claims of kernel activations: of his networks first, then of ours."""

from robust_keras.studies.kernel_own_claims import OWN
from robust_keras.studies.kernel_published_claims import PUBLISHED
from robust_keras.studies.study import grouped

CLAIMS = (
    *grouped("The published networks", PUBLISHED),
    *grouped("Trained anew", OWN),
)
