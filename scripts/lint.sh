#!/usr/bin/env bash
# Formatting, house rules, clang-tidy: lint.sh [--all]. clang-tidy reads what differs from the commit before the last
# (LINT_BASE names another), or everything with --all. What it finds is in build/lint-tidy.log too.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
failed=0

sources() {  # tracked and new files; all of them where git does not know the folder (an unpacked archive)
  if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
    git ls-files -co --exclude-standard "$@" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done
  else
    find "${@%%/*}" -type f \( -name '*.h' -o -name '*.cc' \) | sort -u
  fi
}

mapfile -t files < <(sources 'src/*.h' 'src/*.cc' 'tests/*.h' 'tests/*.cc' 'bench/*.h' 'bench/*.cc')
if ! clang-format --dry-run -Werror "${files[@]}" 2> build/lint-format.log; then
  echo "lint: not formatted; run clang-format -i on:" >&2
  grep -oE '^[^: ]+\.(h|cc):[0-9]+' build/lint-format.log | cut -d: -f1 | sort -u | sed 's/^/  /' >&2
  failed=1
fi
python3 tests/house_test.py || failed=1

changed() {
  local base=${LINT_BASE:-HEAD~1}
  git rev-parse --quiet --verify "$base^{commit}" > /dev/null || base=HEAD  # a clone without history
  { git diff --name-only --diff-filter=d "$base" -- src; git ls-files -o --exclude-standard src; } |
    sed 's/\(-inl\)\?\.h$/.cc/' | sort -u | while read -r file; do [[ $file != *.cc || ! -f $file ]] || echo "$file"; done
}

if [ "${1:-}" = --all ] || ! git rev-parse HEAD > /dev/null 2>&1; then
  mapfile -t tidy < <(sources 'src/*.cc')
else
  mapfile -t tidy < <(changed)
fi
# The dev preset's compile commands, and with them its precompiled header. Tests, benchmarks and fuzzers are left out:
# they cost most of the time and find next to nothing.
mapfile -t tidy < <(printf '%s\n' "${tidy[@]}" | grep -E '\.cc$' | grep -vE '_(test|bench|fuzz)\.cc$' || true)
if [ ${#tidy[@]} -gt 0 ]; then
  [ -f build/dev/build.ninja ] || cmake --preset dev > build/dev-configure.log || { cat build/dev-configure.log; exit 1; }
  ninja -C build/dev sightline_pch > build/lint-pch.log || { cat build/lint-pch.log; exit 1; }
  echo "lint: clang-tidy on ${#tidy[@]} files"
  status=0
  printf '%s\0' "${tidy[@]}" | xargs -0 -P "${SIGHTLINE_JOBS:-$(nproc)}" -n 1 sh -c \
    'found=$(clang-tidy -p build/dev --quiet "$1" 2> /dev/null) || { printf "%s\n" "$found"; exit 1; }' tidy \
    > build/lint-tidy.log || status=1
  if [ $status != 0 ]; then
    # A finding in a header comes with every file that includes it: each is printed once.
    sed "s|^$PWD/||" build/lint-tidy.log | awk '
      /^[^ ]+:[0-9]+:[0-9]+: (error|warning):/ { show = !seen[$0]++ }
      show' >&2
    echo "lint: clang-tidy: $(grep -E ': (error|warning): ' build/lint-tidy.log | sort -u | wc -l) findings" >&2
    failed=1
  fi
fi
[ $failed = 0 ] && echo "lint: clean"
exit $failed
