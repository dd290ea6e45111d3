"""What a robust accuracy is worth: checks that tell when it should not be believed."""

from robust_keras.audit.audit import Audited, audit
from robust_keras.findings.audit_check import AuditCheck

__all__ = ["AuditCheck", "Audited", "audit"]
