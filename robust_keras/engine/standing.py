"""Which images one attack has left so far, at every epsilon."""

import numpy as np


class Standing:
    """The account of one attack.

    All has two rows: the first counts every misclassified image as fallen, the second only those
    that are accepted as well. Without a rejection rule the rows are the same.

    Args:
        subject: `Subject`.
        attack: name of the attack.
        robust: bool array (2, epsilons, images), what is attacked; never rising with epsilon.
        findings: `Findings` of the evaluation.

    Attributes:
        subject: as given.
        robust: what is left.
    """

    def __init__(self, subject, attack, robust, findings):
        self.subject = subject
        self.robust = robust
        self._attack = attack
        self._findings = findings
        self._rows = np.arange(robust.shape[1])[:, np.newaxis]

    @property
    def epsilons(self):
        """The radii, one a row of `robust`."""
        return self.subject.threat_model.epsilons

    def accuracy(self, row):
        """Share of all images that are robust at an epsilon."""
        return float(self.robust[0, row].mean())

    def judge(self, rows, indices, outcome):
        """Counts an image that was fooled as fallen at that epsilon and at every larger one.

        Args:
            rows: of the epsilons: one, or one an image.
            indices: int array (batch,), of the images.
            outcome: `Outcome`.

        Returns:
            bool array (2, batch): which of them were fooled, in both accounts.
        """
        fooled = np.stack([outcome.fooled, outcome.fooled])
        if outcome.fooled.any():
            fooled[1, outcome.fooled] = ~self.subject.rejected(outcome.adversarial)
        rows = np.broadcast_to(rows, len(indices))
        self.robust[:, :, indices] &= ~((self._rows >= rows) & fooled[:, np.newaxis])
        self._findings.see(indices, outcome.logits, np.array(self.epsilons)[rows])
        places = np.flatnonzero(outcome.fooled)
        for place, adversarial in zip(places, outcome.adversarial, strict=True):
            found = adversarial, outcome.logits[place], self.epsilons[rows[place]], self._attack
            self._findings.offer(int(indices[place]), *found)
        return fooled
