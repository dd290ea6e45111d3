"""What a robust accuracy is worth: checks that tell when it should not be believed."""

from robust_keras.analysis.audit import audit
from robust_keras.analysis.check import AuditCheck

__all__ = ["AuditCheck", "audit"]
