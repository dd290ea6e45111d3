import base64
import dataclasses
import hashlib
import html.parser
import itertools
import re

import pytest
import report_samples as samples
from test_figures import contrast

from robust_keras import findings
from robust_keras.findings import model
from robust_keras.reporting import gallery, theme
from robust_keras.reporting import html as page

VOID = {"meta", "link", "img", "wbr", "br"}
HOSTILE = "<script>alert(\"1\")</script><img src=x onerror='alert(2)'>"


class Page(html.parser.HTMLParser):
    """Every element of a page, and its text, after a check that each tag is closed in turn."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self._open = [], "", []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] not in ("style", "script"):
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def hostile_transfer():
    paths, accuracy = (f"models/{HOSTILE}/model.keras", HOSTILE), (0.9, 0.8, 0.7, 0.6)
    price = {"seconds": 1.0, "gradient_evaluations": 40, "forward_evaluations": 0}
    made = findings.SubstituteReport(images=150, queries=4800, agreement=0.75)
    targets = [findings.TransferTarget(path=path, accuracy=accuracy) for path in paths]
    sources = [
        findings.TransferSource(path=paths[0], targets=targets, **price),
        findings.TransferSource(path=HOSTILE, targets=[], skipped=HOSTILE, **price),
        findings.TransferSource(path=HOSTILE, targets=targets, substitute=made, **price),
    ]
    return findings.TransferReport(attack=HOSTILE, settings={HOSTILE: HOSTILE}, sources=sources)


def hostile_report():
    model = samples.sound_model(
        path=f"models/{HOSTILE}/model.keras",
        name=HOSTILE,
        attacks=(samples.attack(HOSTILE, (0.9, 0.8, 0.7, 0.6)),),
        worst_case=samples.worst_case((0.9, 0.8, 0.7, 0.6)),
        audit=(samples.check(HOSTILE, HOSTILE, passed=False, **{HOSTILE: HOSTILE}),),
    )
    lost = samples.sound_model(
        path=HOSTILE,
        attacks=(samples.attack("pgd", (0.972,) * 4, skipped=HOSTILE),),
        worst_case=samples.worst_case((0.972,) * 4),
    )
    dataset = findings.DatasetReport(
        name=HOSTILE, split=HOSTILE, examples=1000, num_classes=10, class_names=(HOSTILE,) * 10
    )
    return samples.report(
        model, lost, dataset=dataset, command=HOSTILE, versions={HOSTILE: HOSTILE},
        transfer=hostile_transfer(),
    )  # fmt: skip


ONE = samples.report()
MINIMAL = samples.report(samples.sound_model(minimal_epsilon=samples.minimal_epsilon()))
THREE = samples.report(
    samples.sound_model(), samples.doubtful_model(), samples.gradient_free_model()
)
REPORTS = {
    "one": (ONE, {ONE.models[0].path: samples.examples(10)}),
    "minimal": (MINIMAL, {}),
    "three": (THREE, {THREE.models[1].path: samples.examples(3, channels=3)}),
    "corrected": (samples.report(samples.corrected_model()), {}),
    "unusual": (samples.report(samples.unusual_model()), {}),
    "hostile": (hostile_report(), {f"models/{HOSTILE}/model.keras": samples.examples(2)}),
}


@pytest.fixture(scope="module", params=REPORTS)
def text(request):
    return page.render(gallery.with_examples(*REPORTS[request.param]))


def rendered(name):
    return page.render(gallery.with_examples(*REPORTS[name]))


def words(text):
    return " ".join(Page(text).text.split())


def test_the_page_needs_nothing_else(text):
    found = Page(text)
    assert not {"iframe", "object", "form"} & {tag for tag, _ in found.elements}
    for _, attributes in found.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert not re.search(r"url\((?!#figure-)", text) and "@import" not in text


def test_only_its_own_style_sheet_and_script_may_act(text):
    style, script = (
        re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("style", "script")
    )
    hashes = [
        base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        for part in (*style, *script)
    ]
    assert len(hashes) == 2 and text.count("<script") == 1
    policies = [
        meta["content"]
        for meta in Page(text).all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    assert "default-src 'none'" in policies[0] and f"style-src 'sha256-{hashes[0]}'" in policies[0]
    assert f"script-src 'sha256-{hashes[1]}'" in policies[0]


def test_everybody_can_read_it(text):
    found = Page(text)
    assert found.all("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in found.all("img"))
    assert all(header.get("scope") in ("col", "row") for header in found.all("th"))
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch("h[1-6]", tag)]
    assert all(below <= above + 1 for above, below in itertools.pairwise(levels))
    links = [link["href"] for link in found.all("a") if link["href"].startswith("#")]
    assert len(links) > 5
    assert len(found.all("h1")) == text.split("<body>")[0].count("<title>") == 1
    identifiers = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    for _, attributes in found.elements:
        for name in ("aria-labelledby", "href"):
            if attributes.get(name, "").startswith(("#", "model")):
                assert attributes[name].removeprefix("#") in identifiers


def test_names_of_strangers_stay_text():
    text = rendered("hostile")
    assert "<script>alert" not in text and "<img src=x" not in text
    assert words(text).count("<script>alert") > 10


def test_the_verdict_comes_first_and_everything_follows():
    text = words(rendered("one")).replace("\xa0", " ")
    order = [
        "Robust accuracy is at most 0.4 % at epsilon 0.3 (linf).",
        "preliminary Only attacks along gradients support this number",
        "--attacks=quick --output_dir=runs/quickstart/report-quick",
        "4 of 1,000 images survived all 5 attacks",
        "The model Path",
        "amplified 5 times",
        "Each attack and what it cost Over all",
        "an image counts if it survived every attack",
        "The audit: can this number be believed? Check",
        "What the attacker may do Norm",
        "0.05, 0.1, 0.2 (51/255), 0.3",
        "How to read this Robust",
        "How to make it again python",
        "python evaluate.py --models=runs/quickstart/serving --dataset=mnist5k --attacks=fgsm,bim",
        "tensorflow 2.21.0",
    ]
    places = [text.index(phrase) for phrase in order]
    assert places == sorted(places)
    for cell in ("74.2 %", "38.8 %", "33 s", "107", "38.7", "61,706", "80.0 % of the weights"):
        assert cell in text
    assert "should not be believed" not in text


def test_doubt_is_said_before_the_number():
    pieces = rendered("three").split("<article")
    sound, doubtful, lost = (words(f"<p{p.partition('</article>')[0]}</p>") for p in pieces[1:])
    warning = doubtful.index("This number should not be believed finite gradients: 97.2 %")
    assert warning < doubtful.index("Robust accuracy is at most")
    assert "should not be believed" not in sound
    assert "pgd the gradient of IdentityN was lost in saving (LookupError) did not run" in lost
    assert "No picture was kept" in lost and "No picture was kept" not in doubtful


def test_a_model_that_was_not_attacked_shows_no_robust_accuracy():
    lost = samples.sound_model(
        attacks=(samples.attack("pgd", (0.972,) * 4, skipped="no gradient"),),
        worst_case=samples.worst_case((0.972,) * 4),
    )
    text = page.render(samples.report(lost))
    assert "Robust accuracy is unknown." in text
    assert "No attack ran." in text and "No adversarial example was found." not in text
    assert 'class="chart' not in text and "Worst case <span" not in text


def test_a_model_that_the_audit_alone_attacked_has_a_whole_page():
    """No gradient, so what was asked for did not run; what the audit found is told by class."""
    skipped = (samples.attack("pgd", (0.981,) * 4, skipped="no gradient"),)
    model = samples.with_classes(samples.corrected_model(attacks=skipped))
    text = words(page.render(samples.report(model)))
    assert "Class by class" in text and "No attack ran." not in text


def test_classes_are_a_map_of_numbers_and_a_table():
    text = page.render(samples.report(samples.with_classes(samples.sound_model())))
    shown = Page(text)
    cells = [e["class"] for e in shown.all("td") if "shade" in e.get("class", "")]
    assert len(cells) == 200 and {"number shade-0", "number shade-8"} <= set(cells)
    assert "At epsilon 0.3 class 4 (0.0" in shown.text and "Class by class" in shown.text
    many = samples.with_classes(samples.sound_model(num_classes=30))
    many = dataclasses.replace(many, targets=None)
    assert 'shade-8"' not in page.render(samples.report(many))
    assert "Class by class" not in page.render(samples.report())


def test_counter_attacks_stand_below_the_checks_with_what_they_left():
    shown = words(rendered("corrected"))
    assert "The audit had to correct this number" in shown
    assert "Where it doubted, it attacked again" in shown.split("What was found")[1]
    assert "losses without scale against: saturated logits, zero gradients" in shown
    assert "imitation against: saturated logits, zero gradients did not run: It would" in shown
    assert "attacked again" not in words(rendered("one"))


def test_the_command_can_be_copied_as_it_was():
    text = rendered("one")
    command = re.findall(r'<pre class="command".*?</pre>', text, re.DOTALL)[-1]
    assert Page(command).text == samples.COMMAND


def palette(css, scheme):
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_enough(scheme):
    colours = palette((page.FOLDER / "style.css").read_text(), scheme)
    for name in ("ink", "muted", "link", "good", "weak", "bad"):
        for paper in ("paper", "page"):
            assert contrast(colours[name], colours[paper]) >= 4.5, (name, paper)
    for name in ("good", "weak", "bad"):
        assert contrast(colours[name], colours[f"{name}-paper"]) >= 4.5, name
        assert contrast(colours["ink"], colours[f"{name}-paper"]) >= 7, name
    lines = [value for name, value in colours.items() if name.startswith("line-")]
    assert all(contrast(line, colours["paper"]) >= 3 for line in lines)
    assert len(lines) == len(theme.LINES) and (scheme or lines == list(theme.LINES))


def test_it_says_what_the_rows_are_where_attacks_ran_in_turn():
    rows = "Each attack met only the images that those above it had left"
    assert rows not in words(page.render(ONE))
    in_turn = words(page.render(samples.report(survivors_only=True)))
    assert rows in in_turn and "thin lines are what was left after each attack." in in_turn


def test_the_three_verdicts_look_and_read_differently():
    quotable, guessing = (
        samples.quotable_model(),
        samples.quotable_model(
            path="guessing",
            audit=(samples.check("clean accuracy", "No better than guessing.", passed=False),),
        ),
    )
    text = page.render(samples.report(quotable, samples.sound_model(), guessing))
    assert [text.count(f'class="badge {name}"') for name in model.VERDICTS] == [3, 3, 3]
    styles = [re.search(rf"\.badge\.{name} .*", text).group(0) for name in model.VERDICTS]
    assert len({style.partition("{")[2] for style in styles}) == 3
    assert "There was no robustness to measure" in text and text.count("unmeasured") >= 4


def test_a_check_that_was_not_made_is_grey_and_not_counted():
    missing = samples.check("falling accuracy", "Not checked: one epsilon.", passed=None)
    model = samples.quotable_model(audit=(*samples.sound_model().audit, missing))
    text = page.render(samples.report(model))
    assert '<td role="cell" class="not-checked">not checked</td>' in text
    assert text.count('class="passed">passed') == 4
    said = words(text).replace("\xa0", " ")
    assert "The audit made 4 checks" in said and "1 check could not be made." in said


def test_no_untrue_word_on_units_or_attackers():
    said = words(page.render(ONE)).replace("\xa0", " ")
    assert "time is that of all images, gradients and forward passes are per image" in said
    assert "Outside the threat model nothing was tried" in said
    unusual = words(rendered("unusual"))
    assert "Outside the threat model only unusual inputs" in unusual
