#!/usr/bin/env bash
# The first run on a GPU: bash benchmarks/gpu/first_run/run.sh FOLDER
# The checks first, then the report section by section. Every part writes to FOLDER as
# it goes, so that whatever ends this, what was done is there.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
# PYTHON may be several words, as for an emulated device.
python=${PYTHON:-python}
options=${REPORT_OPTIONS:-}
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MPLBACKEND=Agg
cd "$root" || exit 2
failed=0
part() {
  budget=$(($1 * ${SLOWER:-1}))
  shift
  # The command's own budget ends its sections; this is for one that hangs.
  timeout -k 10 $((budget + 60)) $python benchmarks/gpu_report.py $options --add \
    --budget "$budget" --out "$out" --sections "$@" || failed=1
}
part 150 startup checks timings
part 240 steps
part 130 parity limits counts memory
[ -n "${SHORT:-}" ] || part 300 matrix notebooks
exit $failed
