#!/usr/bin/env bash
# What the install's policies refuse: a Job of the operator's account with a Secret, an image or a command that is not its resource's; and an author who names a Secret that he may not read.
. "$(dirname "$0")/../lib.sh"
begin forbidden-secret

account=system:serviceaccount:$system:whimbrel
files sql "$(step 001)"
migration
wait_ready
k create secret generic other --from-literal=password=theirs >/dev/null
image=$(k get job "$(run_job)" -o 'jsonpath={.spec.template.spec.containers[0].image}')
uid=$(field '{.metadata.uid}')

# job IMAGE COMMAND SECRET: as the controller builds it, as far as the policies look.
job() {
  cat <<YAML
apiVersion: batch/v1
kind: Job
metadata:
  name: by-hand
  labels: {whimbrel.dev/migration-uid: $uid}
  ownerReferences: [{apiVersion: whimbrel.dev/v1alpha1, kind: DatabaseMigration, name: app, uid: $uid, controller: true}]
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: runner
          image: $1
          command: $2
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumes: [{name: login, secret: {secretName: $3}}]
YAML
}
# answer IMAGE COMMAND SECRET: of the API server, to the operator's account.
answer() { job "$@" | k create --dry-run=server --as="$account" -f - 2>&1 || true; }
runner='["/whimbrel", "runner"]'
expect "its own Secret" "$(answer "$image" "$runner" db)" "job.batch/by-hand created*"
expect "another Secret" "$(answer "$image" "$runner" other)" "*whimbrel-job-owner*a Secret is mounted that the owning DatabaseMigration does not name*"
expect "another image" "$(answer localhost/pause:e2e "$runner" db)" "*whimbrel-job-shape*the image must be*"
expect "another command" "$(answer "$image" '["/whimbrel", "controller"]' db)" "*whimbrel-job-shape*the command must be*"
expect "the operator may read Secrets" "$(k auth can-i get secrets --as="$account" || true)" no

kubectl apply -f "$(dirname "$cluster")/../../deploy/optional/authors-need-secrets.yaml" >/dev/null
at_end kubectl delete -f "$(dirname "$cluster")/../../deploy/optional/authors-need-secrets.yaml"
k create serviceaccount author >/dev/null
k create rolebinding author --clusterrole=whimbrel-edit --serviceaccount="$namespace:author" >/dev/null
as_author() {
  k create --dry-run=server --as="system:serviceaccount:$namespace:author" -f - 2>&1 <<YAML || true
apiVersion: whimbrel.dev/v1alpha1
kind: DatabaseMigration
metadata: {name: mine}
spec: {database: {secretRef: {name: other}}, source: {configMaps: [{name: sql}]}}
YAML
}
author_is_refused() { [[ $(as_author) == *"must be allowed to get each Secret"* ]]; }
wait_for "an author who may not read the Secret to be refused" 30 author_is_refused
k create role reader --verb=get --resource=secrets --resource-name=other >/dev/null
k create rolebinding reader --role=reader --serviceaccount="$namespace:author" >/dev/null
author_is_served() { [[ $(as_author) == *"mine created"* ]]; }
wait_for "an author who may read it to be served" 30 author_is_served
