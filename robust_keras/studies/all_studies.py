"""The studies by name."""

from robust_keras.settings.names import table
from robust_keras.settings.study import STUDY_NAMES
from robust_keras.studies.kernel import KERNEL
from robust_keras.studies.pruning import PRUNING
from robust_keras.studies.study import Study
from robust_keras.studies.survey import SURVEY
from robust_keras.studies.symmetric import SYMMETRIC

STUDIES: dict[str, Study] = table(
    STUDY_NAMES, {"symmetric": SYMMETRIC, "survey": SURVEY, "pruning": PRUNING, "kernel": KERNEL}
)
