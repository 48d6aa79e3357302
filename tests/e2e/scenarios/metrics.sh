#!/usr/bin/env bash
# What the leader counts: the resource and its condition, the run, and that it leads.
. "$(dirname "$0")/../lib.sh"
begin metrics

files sql "$(step 001)"
migration
wait_ready
metrics_of() { kubectl get --raw "/api/v1/namespaces/$system/pods/${1%_*}:8080/proxy/metrics"; }
shows() { metrics_of "$(leader)" | grep -q "$1"; }
wait_for "the leader to say so" 30 shows '^whimbrel_leader.* 1$'
wait_for "the resource to be counted as Ready" 30 \
  shows "^whimbrel_databasemigration_status_condition{.*namespace=\"$namespace\".* 1$"
