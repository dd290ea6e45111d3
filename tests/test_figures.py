import io
import itertools
import re

import matplotlib.image
import numpy as np
import pytest
import report_samples as samples

from robust_keras.reporting import curves, figures, gallery, grid, inline_svg, output, theme
from robust_keras.reporting.sections.comparison import model_lines
from robust_keras.reporting.sections.curves import attack_lines

FRACTIONS = tuple(e / 255 for e in (1, 2, 4, 8, 16))


def crowd(count):
    """Many models that end within a few percent of each other, of names that could do harm."""
    models = []
    for index in range(count):
        clean = 0.9 - 0.01 * index
        falling = tuple(round(clean * share, 3) for share in (0.9, 0.7, 0.5, 0.3, 0.3))
        models.append(
            samples.sound_model(
                path=f"runs/$x_{index}^2$ {'long ' * 9}/serving/1",
                clean_accuracy=round(clean, 3),
                attacks=(samples.attack("pgd", falling),),
                worst_case=samples.worst_case(falling, FRACTIONS),
            )
        )
    return samples.report(*models, threat_model=samples.threat_model(epsilons=FRACTIONS))


def one_epsilon():
    model = samples.sound_model(
        attacks=(samples.attack("pgd", (0.0,)),), worst_case=samples.worst_case((0.0,), (1.0,))
    )
    return samples.report(model, threat_model=samples.threat_model(epsilons=(1.0,)))


def zero_epsilon():
    model = samples.sound_model(
        attacks=(samples.attack("pgd", (0.972,)),), worst_case=samples.worst_case((0.972,), (0.0,))
    )
    return samples.report(model, threat_model=samples.threat_model(epsilons=(0.0,)))


SOUND = samples.report()
CROWD = crowd(10)
LINES = {
    "one model": (SOUND, attack_lines(SOUND, SOUND.models[0])),
    "many models": (CROWD, model_lines(CROWD)),
    "one epsilon": (one_epsilon(), attack_lines(one_epsilon(), one_epsilon().models[0])),
    "epsilon 0": (zero_epsilon(), attack_lines(zero_epsilon(), zero_epsilon().models[0])),
}


def boxes(figure):
    """The rectangle of every text that is seen, in pixels."""
    figure.canvas.draw()
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label, *axes.texts]
    shown = [text for text in texts if text.get_text()]
    return {text: text.get_window_extent(figure.canvas.get_renderer()) for text in shown}


@pytest.mark.parametrize("case", LINES)
@pytest.mark.parametrize("size", [theme.WIDE, theme.PAGE], ids=["wide", "page"])
def test_no_text_is_cut_or_covers_another(case, size):
    report, lines = LINES[case]
    title = "A title" if size == theme.WIDE else ""
    figure = curves.of_report(report, lines)(size=size, title=title)
    found = boxes(figure)
    assert len(found) >= len(lines) + 8
    for text, box in found.items():
        inside = (box.x0 >= 0, box.y0 >= 0, box.x1 <= figure.bbox.x1, box.y1 <= figure.bbox.y1)
        assert all(inside), text.get_text()
    for (a, first), (b, second) in itertools.combinations(found.items(), 2):
        # Letters may come within a pixel of each other, since boxes hold the room for descenders.
        apart = (
            first.x1 <= second.x0 + 1 or second.x1 <= first.x0 + 1
            or first.y1 <= second.y0 + 3 or second.y1 <= first.y0 + 3
        )  # fmt: skip
        assert apart, (a.get_text(), b.get_text())


def test_a_name_such_as_those_of_the_quickstart_is_whole_on_the_page():
    line = curves.Curve(label="quickstart_robust", accuracy=(0.99, 0.8))
    figure = curves.draw([line], (0.2,), norm="linf", chance=0.1, size=theme.PAGE)
    assert any(text.get_text().startswith("quickstart_robust ") for text in figure.texts)


def test_a_name_is_never_taken_for_mathematics():
    figure = curves.of_report(*LINES["many models"])(title="$x$")
    title, names = figure.texts[0], [text for text in figure.texts if "$x_" in text.get_text()]
    assert title.get_text() == "$x$" and len(names) == 10
    assert not any(text.get_parse_math() for text in figure.texts)


def test_lines_of_one_model():
    lines = attack_lines(SOUND, SOUND.models[0])
    names = ["uniform_noise", "fgsm", "bim", "pgd", "mim", "worst case"]
    assert [line.label for line in lines] == names
    assert lines[-1].accuracy == (0.972, 0.891, 0.684, 0.112, 0.004)
    assert [line.bold for line in lines] == [False] * 5 + [True]
    for value, (low, high) in zip(lines[-1].accuracy, lines[-1].band, strict=True):
        assert low <= value <= high


def test_a_model_that_was_not_attacked_has_no_line():
    lost = samples.sound_model(
        path="lost",
        attacks=(samples.attack("pgd", (0.972,) * 4, skipped="lost"),),
        worst_case=samples.worst_case((0.972,) * 4),
    )
    report = samples.report(samples.sound_model(), lost, samples.doubtful_model())
    lines = model_lines(report)
    assert [line.label for line in lines] == ["quickstart", "temperature_50"]
    assert [line.doubtful for line in lines] == [False, True]


@pytest.mark.parametrize("seed", range(5))
def test_spread_keeps_order_gap_and_range(seed):
    random = np.random.default_rng(seed)
    wanted = list(random.uniform(0, 100, size=6))
    placed = curves.spread(wanted, 8.0, 0.0, 100.0)
    order = np.argsort(wanted)
    assert np.all(np.diff(np.array(placed)[order]) >= 8.0 - 1e-9)
    assert min(placed) >= 0.0 and max(placed) <= 100.0 + 1e-9


def test_spread_moves_nothing_that_has_room():
    assert curves.spread([50.0, 10.0, 90.0], 8.0, 0.0, 100.0) == [50.0, 10.0, 90.0]


def test_spread_moves_equal_positions_evenly():
    assert curves.spread([50.0, 50.0], 8.0, 0.0, 100.0) == [54.0, 46.0]


def luminance(colour):
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_enough():
    assert contrast(theme.INK, theme.PAPER) >= 7
    assert contrast(theme.MUTED, theme.PAPER) >= 4.5
    assert all(contrast(line, theme.PAPER) >= 3 for line in theme.LINES)


def test_no_two_lines_look_alike():
    looks = [theme.line_look(index) for index in range(28)]
    assert len(set(looks)) == 28


def test_svg_is_the_same_every_time():
    first, second = (
        figures.svg(curves.of_report(SOUND, LINES["one model"][1])()) for _ in range(2)
    )
    assert first == second and first.startswith(b"<?xml")
    assert b"<text" not in first


def test_a_figure_on_the_page_says_its_values_and_has_the_page_s_colours():
    shown = figures.on_page(curves.of_report(SOUND, LINES["one model"][1]))
    assert "<title>worst case: 11.2\xa0% at epsilon 0.2</title>" in shown
    assert 'class="stroke-ink"' in shown and "#16191d" not in shown and "style=" not in shown
    page = inline_svg.numbered(shown + shown)
    names = re.findall(r' id="([^"]+)"', page)
    assert len(names) == len(set(names)) == 2 * len(re.findall(r' id="', shown))
    assert set(re.findall(r"#(figure[\w-]+)", page)) <= set(names)


def test_files_are_pictures_of_the_right_size():
    report = samples.report(samples.sound_model(), samples.doubtful_model())
    found = {report.models[1].path: samples.examples(2)}
    made = dict(output.figure_files(gallery.with_examples(report, found)))
    assert list(made) == [
        "comparison.png",
        "01-quickstart-curves.png",
        "02-temperature-50-curves.png",
        "02-temperature-50-examples.png",
    ]
    shapes = {name: matplotlib.image.imread(io.BytesIO(png)).shape for name, png in made.items()}
    assert shapes["comparison.png"][:2] == (800, 1360)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [1, 4, 12])
def test_grid_of_any_images(channels, count):
    shown = gallery.kept(samples.examples(count, channels=channels))
    figure = grid.draw(shown, title="A title")
    assert sum(len(axes.images) for axes in figure.axes) == 3 * min(count, grid.MOST_SHOWN)
    for text in figure.texts:
        box = text.get_window_extent(figure.canvas.get_renderer())
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1, text.get_text()
        assert box.y0 >= 0 and box.y1 <= figure.bbox.y1, text.get_text()


@pytest.mark.parametrize(
    ("epsilon", "expected"), [(0.1, 5), (8 / 255, 10), (1 / 255, 100), (0.3, 1.5), (0.7, 1)]
)
def test_amplification_fills_but_does_not_clip(epsilon, expected):
    assert grid.factor(samples.examples(3, epsilon=epsilon)) == expected


def test_amplification_of_no_change():
    assert grid.factor(samples.examples(1, epsilon=0.0)) == 1


def test_pictures_show_what_was_attacked():
    example = samples.examples(1, epsilon=0.1)[0]
    clean, change, adversarial = grid.pictures(example, 5)
    assert clean.shape == change.shape == adversarial.shape == (28, 28, 1)
    np.testing.assert_array_equal(clean[..., 0], np.rint(example.image[..., 0] * 255))
    moved = example.adversarial[..., 0] - example.image[..., 0]
    np.testing.assert_allclose(change[..., 0], 127.5 + 5 * 255 * moved, atol=0.51)
    part = gallery.kept([example])[0]
    assert part.amplification == 5
    read = matplotlib.image.imread(io.BytesIO(grid.png(part.arrays[2])))
    np.testing.assert_array_equal(np.rint(read[..., :3] * 255), part.arrays[2])


@pytest.mark.parametrize(
    ("index", "names", "text"),
    [(3, (), "3"), (1, ("cat", "dog"), "dog"), (2, ("cat", "dog"), "nonsense 2"), (11, (), "11")],
)
def test_class_names(index, names, text):
    assert grid.class_name(index, names) == text
