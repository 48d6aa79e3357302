#!/usr/bin/env bash
# The first resource on a new cluster: a Job applies the files over verified TLS, and everything says so.
. "$(dirname "$0")/../lib.sh"
begin first-migration

if [ -n "${E2E_OWN_CLUSTER:-}" ]; then
  k create configmap authority --from-file=ca.crt="$(dirname "$KUBECONFIG")/pki/ca.crt" >/dev/null
  tls='tls: {mode: VerifyFull, caRef: {kind: ConfigMap, name: authority, key: ca.crt}}'
fi
files sql "$(step 001)" "$(step 002)"
migration "database: {secretRef: {name: db}${tls:+, $tls}}"

wait_ready
expect_witness "001 002"
expect_history "1:applied 2:applied"
expect "the version" "$(field '{.status.currentVersion}')" 002
expect "the reason" "$(field '{.status.conditions[?(@.type=="Ready")].reason}')" UpToDate
expect "Reconciling" "$(condition Reconciling)" False
expect "Stalled" "$(condition Stalled)" False
wait_for "the event of the second migration" 30 event_seen MigrationApplied

job=$(run_job)
wait_for "the Job to be complete" 30 k wait --for=condition=Complete "job/$job" --timeout=1s
expect "the only Job" "$(run_job)" "app-*-1"
expect "the Job's owner" "$(k get job "$job" -o 'jsonpath={.metadata.ownerReferences[0].kind}/{.metadata.ownerReferences[0].name}')" \
  DatabaseMigration/app
pod=$(k get pods -l "job-name=$job" -o 'jsonpath={.items[0].metadata.name}')
expect "the token in the pod" "$(k get pod "$pod" -o 'jsonpath={.spec.automountServiceAccountToken}')" false
expect "volumes with a token" "$(k get pod "$pod" -o 'jsonpath={.spec.volumes[*].projected.sources[*].serviceAccountToken.path}')" ""
expect "the termination message" \
  "$(k get pod "$pod" -o 'jsonpath={.status.containerStatuses[0].state.terminated.message}')" '{*"schemaVersion"*}'
wait_for "kubectl wait to agree" 30 k wait --for=condition=Ready databasemigration/app --timeout=1s
