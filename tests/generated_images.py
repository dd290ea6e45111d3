"""Sets as TensorFlow Datasets prepares them, of made-up pictures: no download."""

import io

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

with tfds.core.registered.skip_registration():

    class GeneratedImages(tfds.core.GeneratorBasedBuilder):
        """Pictures of noise in the colour of their class; `side` None makes sizes that differ.

        Read again by its name, without this class.
        """

        VERSION = tfds.core.Version("1.0.0")
        side, classes, train, test, pictures = 8, 3, 20, 9, "png"

        def _info(self):
            image = tfds.features.Image(
                shape=(self.side, self.side, 3), encoding_format=self.pictures
            )
            label = tfds.features.ClassLabel(num_classes=self.classes)
            features = tfds.features.FeaturesDict({"image": image, "label": label})
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager):
            return {
                "train": self._generate_examples(0, self.train),
                "validation": self._generate_examples(1, self.test),
            }

        def _generate_examples(self, seed, count):
            generator = np.random.default_rng(seed)
            for number in range(count):
                label = number % self.classes
                sides = (self.side,) * 2 if self.side else generator.integers(200, 400, size=2)
                pixels = generator.integers(0, 64, (*sides, 3)) + 180 * label // self.classes
                stream = io.BytesIO()
                Image.fromarray(pixels.astype(np.uint8)).save(stream, self.pictures)
                yield number, {"image": stream.getvalue(), "label": label}

    class LargeImages(GeneratedImages):
        """As ImageNet: JPEG of many sizes, a thousand classes."""

        side, classes, train, test, pictures = None, 1000, 64, 16, "jpeg"


def prepare(kind, data_dir, shards=1, **changes):
    """The name under which `--data_dir` then has the set."""
    with tfds.core.registered.skip_registration():
        builder = type(kind.__name__, (kind,), changes)(data_dir=data_dir)
    tfds.disable_progress_bar()
    config = tfds.download.DownloadConfig(num_shards=shards)
    builder.download_and_prepare(download_config=config)
    return builder.name
