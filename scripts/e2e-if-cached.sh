#!/usr/bin/env bash
# Runs the e2e tests where that costs minutes, and says why not where it would cost more: they need root, and
# Kubernetes programs that are built once (scripts/kube-assets.sh). Usage: e2e-if-cached.sh [SECONDS_LEFT]
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
  echo "e2e: skipped: $1"
  exit 0
}

# Version 1 has a hierarchy per resource, version 2 one for all.
may_make_cgroups() {
  local hierarchy probe
  for hierarchy in /sys/fs/cgroup/memory /sys/fs/cgroup; do
    probe=$hierarchy/whimbrel-e2e-probe-$$
    [ -e "$hierarchy/cgroup.procs" ] || continue
    mkdir "$probe" 2>/dev/null && rmdir "$probe" && return
  done
  return 1
}

needed=$((30 * 60)) # with a release build
[ "$(id -u)" -eq 0 ] || skip "not root"
[ "${1:-$needed}" -ge "$needed" ] || skip "$1 s are left, and building and running may take $needed"
version=$(sed -n 's,.*k8s.io/kubernetes v\([0-9.]*\).*,\1,p' tests/apiserver/go.mod | head -n 1)
assets=${XDG_CACHE_HOME:-$HOME/.cache}/whimbrel/assets/$version
for program in kube-apiserver kubectl kube-controller-manager kube-scheduler kubelet; do
  [ -x "$assets/$program" ] || skip "$program $version is not built yet (make e2e builds it, once)"
done
unshare --mount sh -c 'mount -t tmpfs none /mnt' 2>/dev/null || skip "nothing may be mounted here"
may_make_cgroups || skip "the cgroups of this machine cannot be written"
exec make e2e
