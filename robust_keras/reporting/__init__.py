"""What is shown of an evaluation's findings: `report.json`, then a page and figures made from it.

Nothing here imports TensorFlow, and matplotlib and jinja2 are imported only to write.
"""

from robust_keras.findings import Report
from robust_keras.reporting.output import write
from robust_keras.reporting.section import Section
from robust_keras.reporting.sections import register, unregister
from robust_keras.reporting.summary import summary_table
from robust_keras.reporting.threshold import shortfalls

__all__ = [
    "Report",
    "Section",
    "register",
    "shortfalls",
    "summary_table",
    "unregister",
    "write",
]
