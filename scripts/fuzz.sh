#!/usr/bin/env bash
# Runs each fuzzer (or those named) for so many seconds: fuzz.sh SECONDS [NAME...]. A finding ends it with status 1 and
# the input that caused it in build/fuzz/findings. Seeds: tests/fuzz_seeds/NAME, and real files where the assets are.
set -euo pipefail
cd "$(dirname "$0")/.."
usage="usage: ./dev fuzz SECONDS [NAME...]"
seconds=${1:?$usage}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "$usage" >&2; exit 2; }
shift
assets=${SIGHTLINE_ASSETS:-../shared/assets}
findings=build/fuzz/findings
mkdir -p "$findings"

mapfile -t programs < <(find build/fuzz -type f -name '*_fuzz' -perm -u+x | sort)
[ ${#programs[@]} -gt 0 ] || { echo "fuzz: no fuzzers: ./dev build --preset fuzz" >&2; exit 2; }
for name in "$@"; do
  [[ " ${programs[*]##*/} " == *" $name "* ]] || { echo "fuzz: no $name; there are: ${programs[*]##*/}" >&2; exit 2; }
done

seeds_of() {  # inputs of the fuzzer's kind, small ones
  case $1 in
    jpeg_*) find "$assets/images/decoder" -type f -iname '*.jp*g' -size -40k ;;
    picture_* | sniff_*) find "$assets/images/decoder" -type f -size -20k ! -name '*.csv' ;;
    dicom_*) find "$assets/images/medical_dicom" -type f -size -60k ;;
    video_*) find "$assets/videos" -type f -size -200k ! -name '*.csv' ;;
    onnx_* | external_*) find "$assets/models" -type f -name '*.onnx' -size -400k ;;
    spec_*) find examples tests/bad_specs tests/pipelines -type f -name '*.yaml' ;;
  esac 2> /dev/null || true
  find "tests/fuzz_seeds/$1" -type f 2> /dev/null || true
}

fuzz() {  # PROGRAM; one line on standard output, status 1 with a finding
  local program=$1 name=${1##*/}
  local corpus=build/fuzz/corpus/$name log=build/fuzz/$name.log
  mkdir -p "$corpus"
  seeds_of "$name" | while read -r seed; do cp -n "$seed" "$corpus/seed-$(sha1sum < "$seed" | cut -c1-16)"; done
  local begun status=0
  begun=$(find "$corpus" -type f | wc -l)
  "$program" "$corpus" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=3000 -malloc_limit_mb=1500 \
    -max_len=200000 -print_final_stats=1 -artifact_prefix="$findings/$name-" > "$log" 2>&1 || status=$?
  local units coverage
  units=$(grep -oP 'stat::number_of_executed_units:\s*\K\d+' "$log" || echo 0)
  coverage=$(grep -oP ' cov: \K\d+' "$log" | tail -1 || true)
  if [ $status = 0 ]; then
    printf '%-22s %9s runs, coverage %s, %s inputs to begin with\n' "$name" "$units" "${coverage:-0}" "$begun"
    return 0
  fi
  {
    echo "$name FOUND something after $units runs (all of it: $log):"
    grep -aE '^SUMMARY|runtime error|ERROR: |check failed|terminate called' "$log" | head -5 | sed 's/^/  /' || true
    grep -aE "^ *#[0-9]+ .*$PWD/(src|tests)" "$log" | head -4 | sed 's/^ */  /' || true
    local input
    input=$(grep -aoP 'Test unit written to \K.*' "$log" | tail -1 || true)
    [ -z "$input" ] || echo "  again: $program $input"
  } >&2
  return 1
}

export ASAN_OPTIONS=allocator_may_return_null=1 LSAN_OPTIONS=suppressions=$PWD/cmake/lsan.supp:print_suppressions=0 \
  UBSAN_OPTIONS=print_stacktrace=1
echo "fuzz: $seconds s each"
status=0
running=0
for program in "${programs[@]}"; do
  name=${program##*/}
  if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
  if [ $running -ge "${SIGHTLINE_JOBS:-$(nproc)}" ]; then
    wait -n || status=1
    running=$((running - 1))
  fi
  fuzz "$program" &
  running=$((running + 1))
done
while [ $running -gt 0 ]; do
  wait -n || status=1
  running=$((running - 1))
done
[ $status = 0 ] && echo "fuzz: nothing found"
exit $status
