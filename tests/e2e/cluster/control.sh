#!/usr/bin/env bash
# The control plane: etcd and three Kubernetes programs, as first process of a PID namespace.
# Started by cluster.sh. When one of them ends, all end.
set -euo pipefail
cd "$E2E_FOLDER"

# In memory: on a busy disk a write may take longer than a leader may wait for its lease.
mkdir -p etcd
mount -t tmpfs -o size=1g tmpfs etcd
etcd --data-dir "$E2E_FOLDER/etcd" --name e2e --unsafe-no-fsync --logger zap --log-level warn \
  --listen-client-urls "http://$E2E_HOST:2379" --advertise-client-urls "http://$E2E_HOST:2379" \
  --listen-peer-urls "http://$E2E_HOST:2380" --initial-advertise-peer-urls "http://$E2E_HOST:2380" \
  --initial-cluster "e2e=http://$E2E_HOST:2380" >etcd.log 2>&1 &

# Pods leave a node that is silent after 5 s instead of 5 min; everything else is as shipped: RBAC, Pod
# Security admission, ValidatingAdmissionPolicy and bound ServiceAccount tokens are on by default.
"$E2E_PROGRAMS/kube-apiserver" --etcd-servers "http://$E2E_HOST:2379" \
  --bind-address "$E2E_API" --advertise-address "$E2E_API" --secure-port 443 \
  --tls-cert-file "$E2E_PKI/server.crt" --tls-private-key-file "$E2E_PKI/server.key" \
  --token-auth-file "$E2E_TOKENS" --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
  --service-account-issuer https://kubernetes.default.svc --service-cluster-ip-range "$E2E_SERVICES" \
  --service-account-key-file "$E2E_PKI/service-accounts.pub" \
  --service-account-signing-key-file "$E2E_PKI/service-accounts.key" \
  --kubelet-client-certificate "$E2E_PKI/kubelet-client.crt" --kubelet-client-key "$E2E_PKI/kubelet-client.key" \
  --kubelet-preferred-address-types InternalIP \
  --default-not-ready-toleration-seconds 5 --default-unreachable-toleration-seconds 5 -v 3 >kube-apiserver.log 2>&1 &

until "$E2E_PROGRAMS/kubectl" --kubeconfig controller-manager.kubeconfig get --raw /readyz >/dev/null 2>&1; do
  sleep 0.2
done

# A node is silent after 15 s instead of 40.
"$E2E_PROGRAMS/kube-controller-manager" --kubeconfig controller-manager.kubeconfig --leader-elect=false \
  --bind-address "$E2E_HOST" --use-service-account-credentials --root-ca-file "$E2E_PKI/ca.crt" \
  --service-account-private-key-file "$E2E_PKI/service-accounts.key" \
  --node-monitor-period 1s --node-monitor-grace-period 15s --node-startup-grace-period 30s \
  --node-eviction-rate 10 --resource-quota-sync-period 10s >kube-controller-manager.log 2>&1 &

"$E2E_PROGRAMS/kube-scheduler" --kubeconfig scheduler.kubeconfig --leader-elect=false \
  --bind-address "$E2E_HOST" >kube-scheduler.log 2>&1 &

wait -n
echo "control: a program ended; see its log in $E2E_FOLDER"
