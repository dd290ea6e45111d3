"""Whether the numbers can be believed: the checks of the audit."""

from robust_keras.reporting.section import Section, part


class Audit(Section):
    """A row a check, in the check's own words."""

    template = part("audit.html")

    def show(self, report, model):
        return {}
