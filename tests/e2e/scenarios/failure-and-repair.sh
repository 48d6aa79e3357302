#!/usr/bin/env bash
# A file that fails is named with its line; mending it is all that one has to do.
. "$(dirname "$0")/../lib.sh"
begin failure-and-repair

files sql "$(step 001)" "002_step.sql=INSERT INTO witness (version) VALUES ('002');
CREATE TABLE t002 (id int);
CREATE TABEL oops (id int);"
migration
wait_reason MigrationFailed
expect "Stalled" "$(condition Stalled)" True
expect "the failure" "$(field '{.status.failure.file}:{.status.failure.line} {.status.failure.sqlState}')" "002_step.sql:3 42601"
expect_witness "001"
expect "the version" "$(field '{.status.currentVersion}')" 001

files sql "$(step 001)" "$(step 002)"
wait_ready
expect_witness "001 002"
