#!/usr/bin/env bash
# Formatting, house rules, clang-tidy (on what changed since main's last commit, or everything with --all).
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0
mapfile -t files < <(git ls-files -co --exclude-standard 'src/*.h' 'src/*.cc' 'tests/*.cc' 'bench/*.cc')
if ! clang-format --dry-run -Werror "${files[@]}" 2> build/lint-format.log; then
  grep -oE '^[^:]+:[0-9]+' build/lint-format.log | head -40
  echo "lint: formatting: run clang-format -i on these files" >&2
  failed=1
fi
python3 tests/house_test.py || failed=1

# clang-tidy reads clang's build of the dev preset, whose compile commands have clang's precompiled header.
[ -f build/dev/build.ninja ] || cmake --preset dev > /dev/null
ninja -C build/dev sightline_pch > /dev/null
if [ "${1:-}" = --all ]; then
  mapfile -t tidy < <(git ls-files 'src/*.cc' | grep -vE '_(bench|fuzz)\.cc$')
else
  mapfile -t tidy < <(git diff --name-only --diff-filter=d "${LINT_BASE:-HEAD~1}" -- 'src/*.cc' | grep -vE '_(bench|fuzz)\.cc$' || true)
fi
if [ ${#tidy[@]} -gt 0 ]; then
  printf '%s\0' "${tidy[@]}" | xargs -0 -P "$(nproc)" -n 4 clang-tidy -p build/dev --quiet 2> /dev/null || failed=1
fi
[ $failed = 0 ] && echo "lint: clean"
exit $failed
