#!/usr/bin/env bash
# The kernel kills the run for its memory: the resource says so, and a higher limit mends it.
. "$(dirname "$0")/../lib.sh"
begin out-of-memory

# A row of 64 MiB has to pass through the client whole.
files sql "$(step 001)" "002_step.sql=SELECT repeat('x', 64 << 20);
INSERT INTO witness (version) VALUES ('002');"
migration "job: {resources: {limits: {memory: 40Mi}}}" "execution: {retry: {limit: 1, initialSeconds: 1, maxSeconds: 1}}"
says_why() { [[ $(message) == *"used more memory than its limit"* ]]; }
wait_for "the resource to say why" 60 says_why
wait_reason RetryLimitExceeded 120
expect_witness "001"
migration "job: {resources: {limits: {memory: 512Mi}}}"
wait_ready 90
expect_witness "001 002"
