#!/usr/bin/env bash
# A node: containerd and a kubelet, as first process of a PID and mount namespace. Started by cluster.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$E2E_FOLDER"

# Folders that these programs know by heart: an empty one of our own over each, seen only in here.
for fixed in /run/containerd /var/lib/cni /var/lib/kubelet /var/log/containers; do
  mkdir -p "$fixed"
  mount -t tmpfs tmpfs "$fixed"
done

# overlayfs does not lie on every file system (not on itself, as in a container).
snapshotter=native
mkdir -p probe/{lower,upper,work,merged}
if mount -t overlay overlay -o lowerdir=probe/lower,upperdir=probe/upper,workdir=probe/work probe/merged 2>/dev/null; then
  umount probe/merged
  snapshotter=overlayfs
fi

write_containerd_config() {
  mkdir -p net.d
  cat >net.d/10-e2e.conflist <<JSON
{"cniVersion": "0.4.0", "name": "e2e", "plugins": [
  {"type": "bridge", "bridge": "$E2E_BRIDGE", "isDefaultGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$E2E_FOLDER/leases",
            "ranges": [[{"subnet": "$E2E_SUBNET", "rangeStart": "$E2E_PODS.2",
                         "rangeEnd": "$E2E_PODS.254", "gateway": "$E2E_GATEWAY"}]]}}]}
JSON
  cat >containerd.toml <<TOML
version = 2
root = "$E2E_FOLDER/containerd"
state = "$E2E_FOLDER/state"
[grpc]
  address = "$E2E_FOLDER/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:e2e"
  # Lowering a score needs CAP_SYS_RESOURCE, which root does not have everywhere.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$E2E_FOLDER/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$snapshotter"
TOML
}

write_kubelet_config() {
  cat >kubelet.yaml <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $E2E_ADDRESS
healthzBindAddress: $E2E_ADDRESS
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$E2E_AUTHORITY"}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$E2E_FOLDER/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: $("$here/cgroup.sh" path "$E2E_NAME")
podLogsDir: $E2E_FOLDER/pods
volumePluginDir: $E2E_FOLDER/plugins
makeIPTablesUtilChains: false
failSwapOn: false
oomScoreAdj: 0
# Frequent enough for the grace period that control.sh gives.
nodeLeaseDurationSeconds: 8
nodeStatusUpdateFrequency: 3s
# The machine's own disk may be nearly full: that is not what is tested.
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 100
imageMinimumGCAge: 24h
YAML
}

write_containerd_config
write_kubelet_config
"$here/cgroup.sh" create "$E2E_NAME"

containerd --config containerd.toml --log-level info >>containerd.log 2>&1 &
until "$here/ctr.sh" "$E2E_FOLDER" version >/dev/null 2>&1; do sleep 0.1; done

"$E2E_PROGRAMS/kubelet" --config kubelet.yaml --kubeconfig kubeconfig --root-dir "$E2E_FOLDER/kubelet" \
  --cert-dir "$E2E_FOLDER/kubelet-pki" --hostname-override "$E2E_NAME" --node-ip "$E2E_ADDRESS" >>kubelet.log 2>&1 &

wait -n
echo "$E2E_NAME: a program ended; see its log in $E2E_FOLDER"
