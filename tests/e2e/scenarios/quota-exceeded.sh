#!/usr/bin/env bash
# A ResourceQuota refuses the pod: the resource says so, and goes on when the quota is raised.
. "$(dirname "$0")/../lib.sh"
begin quota-exceeded

k create quota none --hard=pods=0 >/dev/null
files sql "$(step 001)"
migration
wait_reason JobPending 90
expect "the message" "$(message)" "*exceeded quota: none*"
k patch quota none --type=merge -p '{"spec": {"hard": {"pods": "5"}}}' >/dev/null
# The Job controller repeats a refused pod after up to a minute.
wait_ready 150
expect_witness "001"
