#!/usr/bin/env bash
# An application that was deployed together with its migration starts when its version is there, not before: an init container, without token or rights.
. "$(dirname "$0")/../lib.sh"
begin application-waits

files sql "$(step 001)" "$(step 002 second)"
k create secret generic app-db --from-literal=uri="postgresql://$database:$database_password@$PGHOST:$PGPORT/$database" >/dev/null
apply <<YAML
apiVersion: v1
kind: Pod
metadata: {name: application}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  initContainers:
    - name: schema
      image: $E2E_IMAGE
      args: [wait, --database, --at-least, "2", --url-file, /db/uri]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: db, mountPath: /db, readOnly: true}]
  containers:
    - name: application
      image: $E2E_IMAGE
      args: [--version]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
  restartPolicy: Never
  volumes: [{name: db, secret: {secretName: app-db}}]
YAML
gate_says() { k logs application -c schema | grep -q "$1"; }
wait_for "the gate to say something" 60 gate_says .
migration
wait_at_gate
expect "the application" "$(k get pod application -o 'jsonpath={.status.phase}')" Pending
open_gate second
wait_ready
wait_for "the application to run" 60 k wait --for=jsonpath='{.status.phase}'=Succeeded pod/application --timeout=1s
