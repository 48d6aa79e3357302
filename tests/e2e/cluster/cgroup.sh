#!/usr/bin/env bash
# The cgroup below which a node's pods live, under cgroup v1 or v2. Usage: cgroup.sh path|create|remove NODE
set -euo pipefail
path=/whimbrel-e2e/$2
mount=/sys/fs/cgroup

unified() { [ -e "$mount/cgroup.controllers" ]; }

# v2: a controller is there only when every parent passes it on, and a cgroup that passes controllers on
# holds no processes itself: those of the root (we are in a container then) move one down.
pass_controllers_on() {
  local controller
  while read -rd ' ' controller; do
    echo "+$controller" >"$1/cgroup.subtree_control" 2>/dev/null || return 1
  done < <(tr '\n' ' ' <"$1/cgroup.controllers")
}

create_unified() {
  if ! pass_controllers_on "$mount"; then
    mkdir -p "$mount/init"
    local process
    while read -r process; do
      echo "$process" >"$mount/init/cgroup.procs" 2>/dev/null || true
    done <"$mount/cgroup.procs"
    pass_controllers_on "$mount" || { echo "cgroup: cannot pass controllers on from $mount" >&2; exit 1; }
  fi
  mkdir -p "$mount$path"
  pass_controllers_on "$mount${path%/*}"
  pass_controllers_on "$mount$path"
}

create() {
  if unified; then
    create_unified
    return
  fi
  local hierarchy
  for hierarchy in "$mount"/*/; do
    if [ -e "$hierarchy/cgroup.procs" ] && [ "$(basename "$hierarchy")" != unified ]; then
      if [ -e "$hierarchy/cgroup.clone_children" ]; then echo 1 >"$hierarchy/cgroup.clone_children"; fi
      mkdir -p "$hierarchy$path"
    fi
  done
}

remove_below() {
  [ -d "$1" ] || return 0
  # A killed process needs a moment to leave.
  for _ in {1..50}; do
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null && return
    sleep 0.1
  done
}

remove() {
  local hierarchy
  for hierarchy in "$mount"/ "$mount"/*/; do
    if [ -e "$hierarchy/cgroup.procs" ]; then
      remove_below "${hierarchy%/}$path"
      rmdir "${hierarchy%/}${path%/*}" 2>/dev/null || true
    fi
  done
}

case $1 in
  path) echo "$path" ;;
  create) create ;;
  remove) remove ;;
esac
