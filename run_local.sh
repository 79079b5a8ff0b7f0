#!/usr/bin/env bash
# From a fresh machine to a finished data set in one command.
#
#   ./run_local.sh                      on the project's sample pictures
#   ./run_local.sh --foregrounds=DIR --backgrounds=DIR --output=DIR [--OPTION=VALUE ...]
#
# It needs bash and either uv, or Python 3.10 to 3.14 with pip. The first start makes .venv beside
# this file and installs the pinned packages into it, about 0.7 GB; later starts only run. Everything
# given is passed on to `generate` (its options: .venv/bin/mask-depth-dataset generate --help). All
# cores are used.
#
# PYTHON=/path/to/python3.12 picks the interpreter.
#
# PyTorch is installed too where the machine has an NVIDIA GPU, or where --depth_model=hf:... or
# torchscript:... needs it. On Linux it brings CUDA along, 5 GB in all. For a CPU-only one, point
# pip at an index of CPU-only builds (PyTorch's installation page names it, under "CPU") before the
# first start, in one of pip's own ways:
#
#   PIP_EXTRA_INDEX_URL=https://... ./run_local.sh
#   pip config set global.extra-index-url https://... && ./run_local.sh
#
# The version stays pinned. To change over later, remove .venv and start again.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

case ${1:-} in
    -h | --help)
        sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"
        exit
        ;;
esac

extras=()
if compgen -G '/dev/nvidia[0-9]*' >/dev/null; then
    extras+=(torch)
fi
for word in "$@"; do
    case $word in
        --depth_model=hf:* | hf:*) extras+=(hf) ;;
        --depth_model=torchscript:* | torchscript:*) extras+=(torch) ;;
        --*=gs://* | gs://*) extras+=(gcp) ;;
        --*=s3://* | s3://*) extras+=(aws) ;;
    esac
done
"$project/scripts/setup_venv.sh" run ${extras[@]+"${extras[@]}"}
program=$project/.venv/bin/mask-depth-dataset
if (($#)); then
    exec "$program" generate "$@"
fi

pictures=$project/pipeline/sample_pictures
cd "$project"
# A shard is one core's work: more of them than this small set would have by itself.
exec "$program" generate --foregrounds="$pictures/foregrounds" \
    --backgrounds="$pictures/backgrounds" --output=output/sample --num_shards=16
