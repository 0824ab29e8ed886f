#!/bin/sh
# Compiles tables.bpf.c into the two objects that are embedded, byte by byte the
# same wherever it runs, with clang-14 and llvm-14 of Debian 12 and nothing else.
set -eu
cd "$(dirname "$0")"
build() { # OBJECT [OPTION…]
	object=$1
	shift
	clang-14 -O2 -g -target bpf -mcpu=v3 -nostdinc -Wall -Wno-unused-function -Werror "-ffile-prefix-map=$PWD=." "$@" -c tables.bpf.c -o "$object"
	llvm-strip-14 -g "$object"
}
build direct_bpfel.o
build probe_bpfel.o -DPROBE
