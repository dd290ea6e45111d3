"""What was found: plain dataclasses that carry their own check and meaning, to and from JSON.

Nothing here imports TensorFlow. `Report` is the whole of `report.json`.
"""

from robust_keras.findings.activations import ActivationReport, ActivationValues
from robust_keras.findings.attack import AttackReport, WorstCaseReport
from robust_keras.findings.audit_check import AuditCheck
from robust_keras.findings.calibration import (
    CalibrationReport,
    ReliabilityBin,
    TemperatureError,
)
from robust_keras.findings.certified import CertifiedReport, SmoothedReport
from robust_keras.findings.classes import ClassReport, TopFiveReport
from robust_keras.findings.comparison import ComparisonReport, PairReport
from robust_keras.findings.counter_attack import CounterAttackReport
from robust_keras.findings.dataset import DatasetReport, NonsenseReport, ThreatModelReport
from robust_keras.findings.example import ExampleReport
from robust_keras.findings.finding import Finding, derived, field
from robust_keras.findings.layer import LayerReport
from robust_keras.findings.lipschitz import CleverReport, LayerGainReport, LipschitzReport
from robust_keras.findings.minimal_epsilon import ClassEpsilons, MinimalEpsilonReport
from robust_keras.findings.model import ModelReport
from robust_keras.findings.pictures import (
    FeaturePairReport,
    FeatureReport,
    FeaturesReport,
    FiltersReport,
    KernelCurvesReport,
    PicturesReport,
    SaliencyReport,
    SurfaceReport,
)
from robust_keras.findings.rejection import RejectionReport
from robust_keras.findings.report import Report
from robust_keras.findings.targets import TargetPictureReport, TargetsReport
from robust_keras.findings.transfer import (
    SubstituteReport,
    TransferReport,
    TransferSource,
    TransferTarget,
)
from robust_keras.findings.unusual import (
    FoolingImageReport,
    FoolingReport,
    SampleImageReport,
    SampleReport,
    StrengthReport,
    UnusualReport,
)

__all__ = [
    "ActivationReport",
    "ActivationValues",
    "AttackReport",
    "AuditCheck",
    "CalibrationReport",
    "CertifiedReport",
    "ClassEpsilons",
    "ClassReport",
    "CleverReport",
    "ComparisonReport",
    "CounterAttackReport",
    "DatasetReport",
    "ExampleReport",
    "FeaturePairReport",
    "FeatureReport",
    "FeaturesReport",
    "FiltersReport",
    "Finding",
    "FoolingImageReport",
    "FoolingReport",
    "KernelCurvesReport",
    "LayerGainReport",
    "LayerReport",
    "LipschitzReport",
    "MinimalEpsilonReport",
    "ModelReport",
    "PairReport",
    "NonsenseReport",
    "PicturesReport",
    "RejectionReport",
    "ReliabilityBin",
    "Report",
    "SaliencyReport",
    "SampleImageReport",
    "SampleReport",
    "SmoothedReport",
    "StrengthReport",
    "SubstituteReport",
    "SurfaceReport",
    "TargetPictureReport",
    "TargetsReport",
    "TemperatureError",
    "ThreatModelReport",
    "TopFiveReport",
    "TransferReport",
    "TransferSource",
    "TransferTarget",
    "UnusualReport",
    "WorstCaseReport",
    "derived",
    "field",
]
