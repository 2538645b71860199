#!/usr/bin/env bash
# Every benchmark, or those named (feed, end_to_end, memory, simulate, attention, cameras). Each checks its results, prints its ratios and writes
# build/bench/NAME.json. Status 77 of a benchmark: skipped, with the reason.
set -uo pipefail
cd "$(dirname "$0")"
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(feed end_to_end memory simulate attention cameras)
status=0
for name in "${names[@]}"; do
  [ -f "$name.py" ] || { echo "bench: there is no benchmark '$name' ($(ls ./*.py | sed 's|./||; s|\.py||' | grep -v common | paste -sd' '))" >&2; exit 2; }
  echo "== $name"
  /usr/bin/python3 "$name.py"
  result=$?
  [ $result = 0 ] || [ $result = 77 ] || status=1
done
exit $status
