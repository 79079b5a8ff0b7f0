#!/usr/bin/env bash
# Builds the image of Dataflow's workers, checks a job, and submits it.
#
#   deploy/dataflow/job.sh check  FLAGS...   everything short of building and submitting
#   deploy/dataflow/job.sh build             the image, built and pushed
#   deploy/dataflow/job.sh flags  FLAGS...   prints the command that submit runs
#   deploy/dataflow/job.sh submit FLAGS...   sends the job
#
# FLAGS are those of `python -m pipeline generate`: --foregrounds=gs://... --backgrounds=gs://...
# --output=gs://... and what else the data set needs. The same submit continues a job that failed or
# was cancelled. Everything else comes from variables:
#
#   PROJECT, REGION      where the job runs; a region that has the GPU (and quota for MAX_WORKERS)
#   TEMP                 gs:// folder for what is staged, in that region
#   IMAGE                full name and tag that the image is pushed to and pulled from
#   BASE_IMAGE           for build: a CUDA base image (see the Dockerfile)
#   BEAM_IMAGE           for build: Beam's SDK image of the same Beam and Python
#   PYTHON               the launcher's Python with the extra gcp (default: python3)
#   SERVICE_ACCOUNT      the workers' account (default: the project's own)
#   SUBNETWORK           given, workers have no public addresses
#
#   GPU                  l4 (default), t4 or none
#     l4     one NVIDIA L4 with 24 GB, in g2 machines only. The default: newer than the T4, and with
#            memory for the larger models of hf:.
#     t4     one NVIDIA T4 with 16 GB, beside n1 machines only. In more regions.
#     none   the built-in model takes 2 ms a picture on a core: without GPUs a job is slower but
#            needs no GPU quota, and FLEXRS can make it cheap.
#   MACHINE              default g2-standard-8, n1-standard-8 or n2-standard-8. Everything but depth
#                        runs on cores, 0.5 ms a sample: fewer than eight leave the GPU idle.
#   MODELS               how the processes of a worker, one for each core, come by the model
#     each     (default) each loads its own and they share the GPU through NVIDIA's MPS. Right for
#              the built-in model, whose weights take a few MB; CUDA itself takes some hundred MB
#              of the GPU for each process (an estimate).
#     shared   one copy for the machine (--share_model); pictures pass between the processes. For
#              models that do not fit into the GPU's memory once for each core.
#     single   one process only (no_use_multiple_sdk_containers). One Python then does the work of
#              all cores: only for models that take far longer than everything else.
#   BATCH                pictures that pass the model at once (default: 256 with a GPU, else 32)
#   WORKERS, MAX_WORKERS at the start (default 4) and at most (default 25). A shard is worked on by
#                        one process: with more cores than a tenth of the shards, many of them wait
#                        in the last round. docs/scale.md has the figures.
#                        Autoscaling is by throughput; the job shrinks towards its end.
#   DISK                 GB of a worker's disk (default 60): the image takes 10, and shards go to the
#                        bucket as they are written. 30 is enough without CUDA.
#   FLEXRS               yes: preemptible machines, starts within six hours; not with GPUs
#
# Why worker_accelerator and not resource hints: hints on the Depth step alone would cut the chain
# that makes a sample, and every pixel would be shuffled before and after the step. Never use both.
set -euo pipefail

project_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=${PYTHON:-python3}
gpu=${GPU:-l4}
models=${MODELS:-each}

fail() {
    echo "error: $*" >&2
    exit 2
}

need() {
    local name
    for name in "$@"; do
        [[ -n ${!name:-} ]] || fail "$name is not set; the head of $0 says what it is"
    done
}

# job_flags: what is sent to Dataflow beside the flags of the data set, one a line.
job_flags() {
    need PROJECT REGION TEMP IMAGE
    local accelerator machine batch
    case $gpu in
        # 5xx asks for a newer driver than the default: the pinned torch is built for CUDA 13.
        l4) accelerator=nvidia-l4 machine=g2-standard-8 batch=256 ;;
        t4) accelerator=nvidia-tesla-t4 machine=n1-standard-8 batch=256 ;;
        none) accelerator='' machine=n2-standard-8 batch=32 ;;
        *) fail "GPU=$gpu is unknown; give l4, t4 or none" ;;
    esac
    [[ ${FLEXRS:-no} == no || -z $accelerator ]] || fail "FLEXRS=$FLEXRS does not go with GPUs; GPU=none"
    printf '%s\n' \
        --runner=DataflowRunner \
        "--project=$PROJECT" \
        "--region=$REGION" \
        "--temp_location=$TEMP" \
        "--sdk_container_image=$IMAGE" \
        "--machine_type=${MACHINE:-$machine}" \
        "--num_workers=${WORKERS:-4}" \
        "--max_num_workers=${MAX_WORKERS:-25}" \
        --autoscaling_algorithm=THROUGHPUT_BASED \
        "--disk_size_gb=${DISK:-60}" \
        "--batch_size=${BATCH:-$batch}" \
        --no_wait_until_finish
    [[ -z ${SERVICE_ACCOUNT:-} ]] || echo "--service_account_email=$SERVICE_ACCOUNT"
    [[ -z ${SUBNETWORK:-} ]] || printf '%s\n' "--subnetwork=$SUBNETWORK" --no_use_public_ips
    [[ ${FLEXRS:-no} == no ]] || echo --flexrs_goal=COST_OPTIMIZED
    local sharing=
    case $models in
        each) [[ -z $accelerator ]] || sharing=";use_nvidia_mps" ;;
        shared) echo --share_model ;;
        single) echo --experiments=no_use_multiple_sdk_containers ;;
        *) fail "MODELS=$models is unknown; give each, shared or single" ;;
    esac
    [[ -n $accelerator ]] || return 0
    # With the device named, a worker without a working GPU stops the job. Left to itself the model
    # would run on the processor, and the GPU would be paid for and not used.
    echo --depth_device=cuda:0
    echo "--dataflow_service_options=worker_accelerator=type:$accelerator;count:1;install-nvidia-driver:5xx$sharing"
}

# versions: fails unless the launcher has what submission needs; prints its Python.
versions() {
    "$python" -c 'import google.cloud.dataflow, google.cloud.storage' 2>/dev/null || fail \
        "$python lacks the extra gcp:" \
        "pip install -c constraints.txt setuptools, and then" \
        "pip install -c constraints.txt --no-build-isolation -e '.[gcp]'"
    "$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")'
}

generate() {
    cd "$project_root"
    "$python" -m pipeline generate "$@"
}

command=${1:-}
[[ $# == 0 ]] || shift
# Read into an array first: a failure in there must stop the script.
flags=()
case $command in
    check | flags | submit)
        listed=$(job_flags)
        mapfile -t flags <<<"$listed"
        ;;
esac
case $command in
    check)
        version=$(versions)
        for tagged in "$IMAGE" ${BEAM_IMAGE:+"$BEAM_IMAGE"}; do
            [[ $tagged == *:* && $tagged != *:latest ]] || fail "$tagged has no tag; workers must all run one image"
        done
        [[ -z ${BEAM_IMAGE:-} || $BEAM_IMAGE == *"python${version}_"* ]] ||
            fail "BEAM_IMAGE=$BEAM_IMAGE is not for Python $version, which submits the job"
        command -v docker >/dev/null || echo "note: there is no docker here to build the image with" >&2
        # The model of a launcher without GPU runs on its processor for the estimate.
        for i in "${!flags[@]}"; do
            [[ ${flags[i]} != --depth_device=* ]] || unset "flags[i]"
        done
        generate "$@" "${flags[@]}" --dry_run
        ;;
    build)
        need IMAGE BASE_IMAGE BEAM_IMAGE
        version=$(versions)
        docker build --file "$project_root/deploy/dataflow/Dockerfile" --tag "$IMAGE" \
            --build-arg "BASE_IMAGE=$BASE_IMAGE" --build-arg "BEAM_IMAGE=$BEAM_IMAGE" \
            --build-arg "PYTHON=$version" ${EXTRAS:+--build-arg "EXTRAS=$EXTRAS"} "$project_root"
        docker push "$IMAGE"
        ;;
    flags)
        printf '%q ' "$python" -m pipeline generate "$@" "${flags[@]}"
        echo
        ;;
    submit)
        versions >/dev/null
        generate "$@" "${flags[@]}"
        ;;
    *)
        fail "usage: $0 check|build|flags|submit [flags of python -m pipeline generate]"
        ;;
esac
