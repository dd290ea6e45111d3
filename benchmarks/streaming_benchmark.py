"""What a set that is read from the disk batch by batch takes of memory, beside one that is held.

    python benchmarks/streaming_benchmark.py --data_dir=DIRECTORY
    python benchmarks/streaming_benchmark.py --imagenet

The first goes through the training images of CIFAR-10 once, shuffled, in batches of 128, in a
process for each way of reading; what Python and TensorFlow take before is told, too. The second
runs configs/imagenet_resnet18.cfg and an evaluation on 64 generated pictures of ImageNet's shape.
"""

import argparse
import hashlib
import json
import pathlib
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
_MIB = 2**10


def one_pass(data_dir, stream):
    """Peak memory in MiB, processor seconds and a hash of the labels in their order."""
    from robust_keras.quiet_start import start_tensorflow

    start_tensorflow()
    from robust_keras import data
    from robust_keras.data import pipeline

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB

    before = peak()
    train = data.load("cifar10", data_dir, stream=stream).train
    seen, sums = hashlib.sha256(), 0.0
    for images, labels in pipeline.training_dataset(train, batch_size=128, seed=0, epochs=1):
        seen.update(labels.numpy().tobytes())
        sums += float(images.numpy().sum(dtype="float64"))
    seconds = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    return {
        "before": before,
        "peak": peak(),
        "seconds": seconds,
        "pixels": train.images.shape,
        "seen": f"{seen.hexdigest()[:12]} {sums:.6f}",
    }


def compared(data_dir):
    import tabulate

    rows, seen = [], set()
    for name, stream in (("in memory", False), ("on the disk, labels read", True), ("again", True)):
        command = [sys.executable, __file__, f"--data_dir={data_dir}", f"--pass={stream}"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        seen.add(found["seen"])
        more = found["peak"] - found["before"]
        rows.append([name, *(f"{found[key]:.0f}" for key in ("before", "peak"))])
        rows[-1] += [f"{more:.0f}", f"{found['seconds']:.0f}"]
    headers = ["images", "before, MiB", "peak, MiB", "more, MiB", "processor, s"]
    print(tabulate.tabulate(rows, headers, tablefmt="github", disable_numparse=True))
    print("the same batches in all" if len(seen) == 1 else f"other batches: {seen}")


def imagenet():
    from generated_images import LargeImages, prepare

    with tempfile.TemporaryDirectory() as directory:
        name = prepare(LargeImages, directory)
        common = [f"--dataset={name}", f"--data_dir={directory}", "--stream"]
        ran = [
            ["train.py", "--flagfile=configs/imagenet_resnet18.cfg", *common, "--epochs=1"]
            + ["--batch_size=32", "--validation_fraction=0", f"--output_dir={directory}/run"],
            ["evaluate.py", f"--models={directory}/run/serving", *common, "--image_size=224"]
            + ["--attacks=fgsm", "--epsilons=4/255", "--examples=4", "--batch_size=4"]
            + [f"--output_dir={directory}/report"],
        ]
        for command in ran:
            subprocess.run([sys.executable, *command], check=True, cwd=ROOT)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir")
    parser.add_argument("--imagenet", action="store_true")
    parser.add_argument("--pass", dest="stream", choices=("True", "False"), help="one way alone")
    asked = parser.parse_args()
    if asked.stream:
        print(json.dumps(one_pass(asked.data_dir, asked.stream == "True")))
    elif asked.imagenet:
        imagenet()
    else:
        compared(asked.data_dir)


if __name__ == "__main__":
    main()
