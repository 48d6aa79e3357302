#!/usr/bin/env bash
# Writes the image of the pods' first container, which only waits, as a docker-archive.
# Usage: pause-image.sh OUTPUT.tar
set -euo pipefail
output=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/pause.c" <<'C'
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void End(int signal) { _exit(signal == SIGCHLD); }
static void Reap(int signal) {
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
  (void)signal;
}

int main(void) {
  signal(SIGINT, End);
  signal(SIGTERM, End);
  signal(SIGCHLD, Reap);
  for (;;) pause();
}
C
cc -Os -static -o "$work/pause" "$work/pause.c"
# A storage of its own, without a kernel's help: works everywhere, and nothing stays behind.
build=(buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs)
container=$("${build[@]}" from scratch)
"${build[@]}" copy --quiet "$container" "$work/pause" /pause >/dev/null
"${build[@]}" config --entrypoint '["/pause"]' --user 65535:65535 "$container"
"${build[@]}" commit --quiet "$container" localhost/pause:e2e >/dev/null
"${build[@]}" push --quiet localhost/pause:e2e "docker-archive:$work/image.tar:localhost/pause:e2e"
mv "$work/image.tar" "$output"
