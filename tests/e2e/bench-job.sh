#!/usr/bin/env bash
# From `kubectl apply` of a DatabaseMigration with one small file to Ready as a Job, beside a bare Job of the same
# image from `kubectl create job` to Complete; both as kubectl sees them, in turn. Prints the medians.
# Usage: tests/e2e/bench-job.sh [RUNS (15)], against a cluster that is up and has the operator (see run.sh)
runs=${1:-15}
. "$(dirname "$0")/lib.sh"
begin bench-job baseline

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
median() { sort -n | awk '{v[NR] = $1} END {printf "%.0f", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

bare_job() {
  local from
  from=$(now_ms)
  k create job "bare$1" --image="$E2E_IMAGE" -- /whimbrel --version >/dev/null
  k wait --for=condition=Complete "job/bare$1" --timeout=60s >/dev/null
  echo $(($(now_ms) - from))
}

resource() {
  local from
  create_database "${database}_r$1"
  login_secret "r$1" "${database}_r$1"
  from=$(now_ms)
  migration -n "r$1" "database: {secretRef: {name: r$1}}"
  k wait --for=condition=Ready "databasemigration/r$1" --timeout=60s >/dev/null
  echo $(($(now_ms) - from))
}

files sql "$(step 001)"
bare_job 00 >/dev/null # the image's first start on the node
bare=() whole=()
for number in $(seq -w 1 "$runs"); do
  number=$(printf '%02d' "$((10#$number))")
  bare+=("$(bare_job "$number")")
  whole+=("$(resource "$number")")
done
bare_median=$(printf '%s\n' "${bare[@]}" | median)
whole_median=$(printf '%s\n' "${whole[@]}" | median)
echo "apply to Ready as a Job, median of $runs: $whole_median ms (from $(printf '%s\n' "${whole[@]}" | sort -n | head -n 1) to $(printf '%s\n' "${whole[@]}" | sort -n | tail -n 1))"
echo "bare Job, create to Complete, median of $runs: $bare_median ms (from $(printf '%s\n' "${bare[@]}" | sort -n | head -n 1) to $(printf '%s\n' "${bare[@]}" | sort -n | tail -n 1))"
echo "difference: $((whole_median - bare_median)) ms"
