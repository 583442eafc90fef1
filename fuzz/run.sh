#!/usr/bin/env bash
# Fuzzes every target for SECONDS in all, on the stable toolchain; fails on a finding.
#   fuzz/run.sh SECONDS [TARGET…]
# What libFuzzer discovers is kept under the target directory and used again; an input
# that breaks a promise is put into fuzz/findings/ and, once mended, into fuzz/corpus/.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?usage: fuzz/run.sh SECONDS [TARGET…]}
shift

host=$(rustc -vV | sed -n 's/^host: //p')
target_dir=${CARGO_TARGET_DIR:-$PWD/../target}/fuzz
RUSTFLAGS="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares" \
  cargo build --quiet --release --locked --target "$host" --target-dir "$target_dir"
fuzz=$target_dir/$host/release/fuzz

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  mapfile -t targets < <(FUZZ_TARGET=list "$fuzz" 2>/dev/null)
fi
each=$((seconds / ${#targets[@]}))
[ "$each" -ge 1 ] || each=1

failed=()
for target in "${targets[@]}"; do
  found=$target_dir/corpus/$target
  mkdir -p "$found" "findings/$target"
  dict=()
  [ -f "dict/$target.dict" ] && dict=("-dict=dict/$target.dict")
  log=$target_dir/$target.log
  if FUZZ_TARGET=$target "$fuzz" -max_total_time="$each" -rss_limit_mb=1024 -malloc_limit_mb=256 -timeout=10 \
    -artifact_prefix="findings/$target/" -print_final_stats=1 "${dict[@]}" "$found" "corpus/$target" >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    echo "$target: no finding in $each s ($runs inputs, peak ${peak} MiB)"
    rmdir "findings/$target"
  else
    tail -n 40 "$log"
    echo "$target: A FINDING, see fuzz/findings/$target/"
    failed+=("$target")
  fi
done
rmdir findings 2>/dev/null || true
if [ ${#failed[@]} -gt 0 ]; then
  echo "findings in: ${failed[*]}"
  exit 1
fi
