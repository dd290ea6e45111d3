"""What a page of a study tells of one number."""

import pytest

from robust_keras.studies import page


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        ("points", "+96.0 points (+88.6 to +100.0; 3 seeds, 171 images)"),
        ("", "+0.960 (+0.886 to +1.033; 3 seeds, 171 images)"),
    ],
)
def test_a_share_ends_at_all_of_it_and_a_plain_number_does_not(unit, told):
    found = {"mean": 0.96, "low": 0.886, "high": 1.033, "seeds": [0, 1, 2], "images": 171}
    assert page.short({"found": found, "unit": unit}) == told
