#!/usr/bin/env bash
# NVIDIA's own tools: bash benchmarks/gpu/first_run/tools.sh FOLDER
# Races between threads, accesses outside of arrays, and the time of each kernel. A
# tool that is not installed is named and left out.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
python=${PYTHON:-python}
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MPLBACKEND=Agg PYTHONPATH=$root
cd "$root" || exit 2
failed=0
tool() {
  name=$1
  shift
  if ! command -v "$1" > /dev/null; then
    echo "$name: left out, there is no $1 here" | tee "$out/$name.txt"
    return
  fi
  timeout -k 5 90 "$@" > "$out/$name.txt" 2>&1 || failed=1
  echo "$name: $(tail -n 1 "$out/$name.txt")"
}
step="$here/one_training.py"
tool racecheck compute-sanitizer --tool racecheck --error-exitcode 1 \
  --kernel-name-exclude kns=cupy_ $python "$step"
tool memcheck compute-sanitizer --tool memcheck --error-exitcode 1 $python "$step"
tool ncu ncu --clock-control none --graph-profiling node -c 60 --csv \
  --metrics gpu__time_duration.sum $python "$step"
exit $failed
