#!/usr/bin/env bash
# Format, architecture, shell scripts, clang-tidy. Usage: scripts/check.sh [changed|all]
#
# clang-tidy takes seconds a file, so by default it reads only what changed since the branch left
# origin/main or, where it did not, since the commit before HEAD; uncommitted changes included. `all`
# reads everything. A changed header counts as its .cc of the same name.
set -euo pipefail
cd "$(dirname "$0")/.."

scope=${1:-changed}
jobs=$(nproc)

sources() { git ls-files --cached --others --exclude-standard -- 'src/*' 'include/*' 'tests/*' | grep -E '\.(cc|h)$'; }

changed() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
    base=$(git rev-parse -q --verify HEAD~1 || git hash-object -t tree /dev/null)
  fi
  { git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } | sort -u
}

# Maps every file to the .cc files that clang-tidy has to read for it.
translation_units() {
  local file stem
  while read -r file; do
    case $file in
      *.cc) echo "$file" ;;
      *.h) stem=${file#include/whimbrel/}; stem=${stem#src/}
           echo "src/${stem%.h}.cc"; echo "${file%.h}.cc" ;;
    esac
  done | sort -u | while read -r file; do
    # Only what the build knows: files that are not compiled have no command to read them with.
    if [ -e "$file" ] && grep -qF "\"$PWD/$file\"" build/dev/compile_commands.json; then echo "$file"; fi
  done
}

echo "== clang-format"
sources | while read -r file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
  xargs -0 -r clang-format --dry-run -Werror ||
  { echo "check: not formatted as .clang-format says; \`make format\` does it" >&2; exit 1; }

echo "== module includes"
scripts/check-includes

echo "== deploy/"
scripts/render-deploy.sh --check

echo "== shellcheck"
git ls-files -- 'scripts/*.sh' 'tests/*.sh' .ci/run | xargs -r shellcheck

echo "== clang-tidy ($scope)"
log=$(cmake --preset dev 2>&1) || { echo "$log" >&2; exit 1; }
case $scope in
  all) files=$(sources | translation_units) ;;
  changed) files=$(changed | grep -E '^(src|include|tests)/' | translation_units) || files= ;;
  *) echo "check: TIDY is 'changed' or 'all', not '$scope'" >&2; exit 2 ;;
esac
if [ -z "$files" ]; then
  echo "nothing to read"
  exit 0
fi
echo "$(wc -l <<<"$files") files"
# Warnings are g++'s business, under -Werror; the sanitizers only slow the analysis down.
xargs -P "$jobs" -n 2 clang-tidy-16 --quiet -p build/dev --extra-arg=-w --extra-arg=-fno-sanitize=all \
  <<<"$files" 2> >(grep -v ' warnings generated' >&2)
