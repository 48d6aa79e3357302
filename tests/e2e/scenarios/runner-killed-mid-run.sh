#!/usr/bin/env bash
# The runner's process is killed by the kernel's SIGKILL: the outcome is unknown, the next attempt looks and goes on.
. "$(dirname "$0")/../lib.sh"
begin runner-killed-mid-run

files sql "$(step 001)" "$(step 002 second)"
migration "execution: {retry: {initialSeconds: 1, maxSeconds: 2}}"
wait_at_gate
first=$(run_pod)
uid=$(k get pod "$first" -o 'jsonpath={.metadata.uid}')
# Of all processes, the one whose cgroup is the pod's and whose program is the runner.
for process in $(pgrep -x whimbrel); do
  if grep -q "$uid" "/proc/$process/cgroup"; then kill -KILL "$process"; fi
done
wait_for_another_pod "$first"
open_gate second
wait_ready 120
expect_witness "001 002"
