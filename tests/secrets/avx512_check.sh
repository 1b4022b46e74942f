#!/bin/sh
# avx512_check.sh SOURCE_DIRECTORY: compiles avx512_check.cc with MemorySanitizer and runs it; first with a leak on purpose.
set -eu
if ! command -v clang++ >/dev/null; then echo "skipped: clang++ is not installed"; exit 0; fi
if ! grep -q 'avx512_vbmi2' /proc/cpuinfo 2>/dev/null; then echo "skipped: this processor has no AVX-512"; exit 0; fi

source=$1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
compile() { clang++ -std=c++20 -O1 -g -fsanitize=memory -I"$source/tests/secrets/without_assembler" -I"$source" "$@"; }
compile -c "$source/tests/secrets/avx512_check.cc" "$source/crypto/poly1305.cc"
compile -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512ifma -mavx512vbmi2 -mbmi2 -c "$source/crypto/aead_avx512.cc"
compile -Wl,--wrap=_ZN4adit6crypto14poly1305_agreeEPKNS0_3TagEPKPKhPKmm ./*.o -o check

if ./check leak >/dev/null 2>&1; then echo "the leak was not found"; exit 1; fi
./check
