#!/usr/bin/env bash
# Builds the fuzz targets of tests/fuzz and runs them, as many at a time as there are processors.
# Usage: scripts/fuzz.sh smoke                      5 seconds each, from the committed inputs alone
#        scripts/fuzz.sh run SECONDS [TARGET…]      goes on from what earlier runs found
#
# build/fuzz/corpus/TARGET keeps what was found, build/fuzz/crashes/TARGET what breaks a target. Exits 1
# when there is any.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/fuzz
bin=$build/tests/fuzz
smoke_seconds=5
symbolizer=/usr/lib/llvm-16/bin/llvm-symbolizer
[ ! -x "$symbolizer" ] || export ASAN_SYMBOLIZER_PATH=$symbolizer

usage() { sed -n '3,4s/^# //p' "$0" >&2; exit 2; }

[ $# -gt 0 ] || usage
case $1 in
  smoke) seconds=$smoke_seconds kept=$(mktemp -d); trap 'rm -rf "$kept"' EXIT; shift ;;
  run) seconds=${2:-} kept=$build/corpus; [[ $seconds =~ ^[0-9]+$ ]] || usage; shift 2 ;;
  *) usage ;;
esac

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$(nproc)"

known=()
for source in tests/fuzz/*_fuzz.cc; do source=${source##*/}; known+=("${source%_fuzz.cc}"); done
targets=("$@")
[ $# -gt 0 ] || targets=("${known[@]}")
for target in "${targets[@]}"; do
  if [[ " ${known[*]} " != *" $target "* ]]; then
    echo "fuzz: no target is called '$target'; there are ${known[*]}" >&2
    exit 2
  fi
done

"$bin/fuzz_seeds" "$build/seeds"
# A folder that inputs come from beside tests/fuzz/corpus; none is empty.
more_inputs() {
  case $1 in
    splitter | classifier | directives | libpg_query | psql) echo "$build/seeds" ;;
    yaml) echo crds ;;
  esac
}

fuzz() {
  local target=$1 log=$build/logs/$1.log more code=0
  local crashes=$build/crashes/$target
  mkdir -p "$kept/$target" "$crashes" "$build/logs"
  more=$(more_inputs "$target")
  "$bin/${target}_fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 \
    -dict=tests/fuzz/sql.dict -artifact_prefix="$crashes/" \
    "$kept/$target" "tests/fuzz/corpus/$target" ${more:+"$more"} >"$log" 2>&1 || code=$?
  printf '%-12s %10s inputs tried, %6s kept' "$target" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$(find "$kept/$target" -type f | wc -l)"
  if [ "$code" -eq 0 ]; then printf '\n'; return; fi
  printf '  BROKEN\n'
  grep -a -m 1 -A 20 -E '^broken:|runtime error:|ERROR: ' "$log" || tail -n 20 "$log"
  echo "To see it again: $bin/${target}_fuzz $(find "$crashes" -type f -newer "$bin/fuzz_seeds" | tail -n 1)"
  return 1
}

export build bin seconds kept
export -f fuzz more_inputs
printf '%s\0' "${targets[@]}" | xargs -0 -P "$(nproc)" -I{} bash -c 'fuzz {}'
