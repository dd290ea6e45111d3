"""What an evaluation found: data first (`report.json`), then a page and figures made from it.

Nothing here imports TensorFlow, and matplotlib and jinja2 are imported only to write.
"""

from robust_keras.reporting.example_report import ExampleReport
from robust_keras.reporting.minimal_report import ClassEpsilons, MinimalEpsilonReport
from robust_keras.reporting.model_report import ModelReport
from robust_keras.reporting.output import write
from robust_keras.reporting.parts import (
    AttackReport,
    AuditReport,
    DatasetReport,
    LayerReport,
    ThreatModelReport,
    WorstCaseReport,
)
from robust_keras.reporting.rejection_report import RejectionReport
from robust_keras.reporting.report import Report
from robust_keras.reporting.summary import summary_table
from robust_keras.reporting.threshold import shortfalls
from robust_keras.reporting.transfer_report import (
    SubstituteReport,
    TransferReport,
    TransferSource,
    TransferTarget,
)
from robust_keras.reporting.unusual_report import (
    FoolingImageReport,
    FoolingReport,
    SampleReport,
    StrengthReport,
    UnusualReport,
)

__all__ = [
    "AttackReport",
    "AuditReport",
    "ClassEpsilons",
    "DatasetReport",
    "ExampleReport",
    "FoolingImageReport",
    "FoolingReport",
    "LayerReport",
    "MinimalEpsilonReport",
    "ModelReport",
    "RejectionReport",
    "Report",
    "SampleReport",
    "StrengthReport",
    "SubstituteReport",
    "ThreatModelReport",
    "TransferReport",
    "TransferSource",
    "TransferTarget",
    "UnusualReport",
    "WorstCaseReport",
    "shortfalls",
    "summary_table",
    "write",
]
