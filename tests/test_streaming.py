"""Sets whose images stay on the disk: the same images, batches and classes as in memory."""

import pathlib

import numpy as np
import pytest
from generated_images import GeneratedImages, LargeImages, prepare

from robust_keras import data
from robust_keras.data import memory, pipeline
from robust_keras.data.augmentation import crop_and_flip
from robust_keras.data.record_index import RecordIndex
from robust_keras.errors import InputError


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("tfds"))
    prepare(GeneratedImages, path, shards=3)
    prepare(LargeImages, path, train=6, test=4)
    return path


@pytest.fixture(scope="module")
def both(data_dir):
    return [data.load("generated_images", data_dir, stream=stream) for stream in (False, True)]


def test_a_set_on_the_disk_is_the_one_in_memory(both):
    held, streamed = both
    assert not held.train.is_streamed and streamed.train.is_streamed
    for part in ("train", "test", "all"):
        ours, theirs = streamed.part(part), held.part(part)
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        np.testing.assert_array_equal(ours.images, theirs.images)
    chosen = streamed.test.take(4, 0), held.test.take(4, 0)
    np.testing.assert_array_equal(*(split.float_images() for split in chosen))
    assert data.channel_statistics(streamed.train) == data.channel_statistics(held.train)
    assert "stay on the disk" in "".join(data.description(streamed))


def test_batches_are_those_in_memory_to_the_bit(both):
    settings = {"batch_size": 5, "seed": 1, "epochs": 3, "augment": crop_and_flip}
    held, streamed = (
        [
            *pipeline.training_dataset(each.train, **settings, initial_epoch=1),
            *pipeline.evaluation_dataset(data.hold_out(each.train, 0.2, 0)[1], batch_size=3),
        ]
        for each in both
    )
    assert len(held) == len(streamed) == 8 + 1
    for (images, labels), (read, told) in zip(held, streamed, strict=True):
        np.testing.assert_array_equal(images, read)
        np.testing.assert_array_equal(labels, told)


def test_a_process_reads_its_part_of_each_batch_alone(both, monkeypatch):
    streamed = both[1]
    settings = {"batch_size": 6, "seed": 1, "epochs": 2, "augment": crop_and_flip}
    asked = []
    monkeypatch.setattr(RecordIndex, "read", _noting(asked))

    def batches(share):
        training = pipeline.training_dataset(streamed.train, **settings, share=share)
        held_out = pipeline.evaluation_dataset(streamed.test, batch_size=6, share=share)
        return [images.numpy() for images, _ in [*training, *held_out]]

    whole, *parts = (batches(share) for share in (None, (0, 3), (1, 3), (2, 3)))
    # Two epochs of three batches of six; then nine images, of which the last three are two parts.
    assert [sum(asked[n : n + 8]) for n in range(0, 32, 8)] == [45, 16, 15, 14]
    for batch, *shares in zip(whole, *parts, strict=True):
        for place, part in enumerate(shares):
            kept = slice(2 * place, 2 * place + 2)
            np.testing.assert_array_equal(part[kept], batch[kept])
            assert part.shape == batch.shape and not np.delete(part, kept, axis=0).any()


def _noting(asked):
    read = RecordIndex.read

    def noting(self, rows):
        asked.append(len(rows))
        return read(self, rows)

    return noting


def test_what_does_not_fit_into_memory_is_streamed(data_dir, monkeypatch):
    monkeypatch.setattr(memory, "limit", lambda: 29 * 8 * 8 * 3 - 1)
    assert data.load("generated_images", data_dir).test.is_streamed
    monkeypatch.setattr(memory, "limit", lambda: 29 * 8 * 8 * 3)
    assert not data.load("generated_images", data_dir).test.is_streamed


def test_images_of_many_sizes_are_brought_to_one(data_dir):
    with pytest.raises(InputError, match="images of one size, or --image_size, such as 224"):
        data.load("large_images", data_dir)
    held, streamed = (
        data.load("large_images", data_dir, image_size=32, stream=stream).test
        for stream in (False, True)
    )
    assert held.images.shape == (4, 32, 32, 3)
    assert not held.is_streamed
    np.testing.assert_array_equal(held.images, streamed.images)
    # Noise between 0 and 63 around the brightness of its class.
    assert np.ptp(held.images) < 70 and held.images.std() < 15


def test_labels_are_read_once_and_again_where_the_files_have_changed(data_dir, capsys):
    data.load("generated_images", data_dir, stream=True)
    assert "reading the labels" not in capsys.readouterr().err
    for path in pathlib.Path(data_dir).glob("generated_images/*/robust_keras-*.npz"):
        path.write_bytes(path.read_bytes()[:-9])
    assert len(data.load("generated_images", data_dir, stream=True).train) == 20
    assert "reading the labels of the split train" in capsys.readouterr().err


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    prepare(GeneratedImages, str(tmp_path))
    (path,) = tmp_path.glob("generated_images/*/*train*tfrecord*")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="expected undamaged data"):
        data.load("generated_images", str(tmp_path), stream=True)


@pytest.mark.parametrize("name", ["mnist5k", __file__])
def test_only_sets_of_tfds_are_streamed(name):
    with pytest.raises(InputError, match="--stream: expected nothing with .*none of TensorFlow"):
        data.load(name, stream=True)
