#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A Rust program: counts of Box, Vec and its growth, and readable names; then with
# an allocator of its own, which calls no malloc.
#
#   what-rust.sh
set -u

rustc --version >/dev/null 2>&1 || { echo "no rustc here"; exit 77; }
cat >"$OUT/leaky.rs" <<'END'
mod shop {
    #[inline(never)]
    pub fn boxes(n: usize) {
        for i in 0..n {
            let b = Box::new([i; 5]);
            if i % 2 == 0 { std::mem::forget(b) } else { std::hint::black_box(&b); }
        }
    }
    #[inline(never)]
    pub fn grows(n: usize) -> usize {
        let mut v: Vec<u64> = Vec::with_capacity(1);
        for i in 0..n { v.push(i as u64) }
        std::hint::black_box(&v).len()
    }
}
fn main() {
    shop::boxes(20);
    std::process::exit((shop::grows(64) == 64) as i32 - 1);
}
END
for how in "" "-O"; do
	# shellcheck disable=SC2086
	rustc $how -g -o "$OUT/leaky" "$OUT/leaky.rs" >"$OUT/build.log" 2>&1 || {
		echo "rustc cannot build here: $(tail -n 1 "$OUT/build.log")"; exit 77; }
	"$MTRACE" -m 0 -d 30 --export json:"$JSON" "$OUT/leaky" 2>"$STDERR" || { cat "$STDERR"; exit 1; }
	cat >"$EXPECT" <<'END'
stack leaky::shop::boxes total_blocks 20
stack leaky::shop::boxes total_bytes 800
stack leaky::shop::boxes open_blocks 10
stack leaky::shop::grows open_blocks 0
stack leaky::shop::grows total_blocks >= 5
stack leaky::shop::grows total_bytes >= 512
unknown_releases 0
END
	"$OUT/../../expect" "$EXPECT" "$JSON" || { echo "rustc $how"; exit 1; }
done

cat - "$OUT/leaky.rs" >"$OUT/own.rs" <<'END'
use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicUsize, Ordering};
struct Bump;
static mut HEAP: [u8; 1 << 20] = [0; 1 << 20];
static NEXT: AtomicUsize = AtomicUsize::new(0);
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, l: Layout) -> *mut u8 {
        let at = NEXT.fetch_add(l.size() + l.align(), Ordering::Relaxed);
        let start = std::ptr::addr_of_mut!(HEAP) as *mut u8;
        start.add((at + l.align() - 1) / l.align() * l.align())
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
#[global_allocator]
static BUMP: Bump = Bump;
END
# Optimised, its functions are part of their callers.
rustc -g --crate-name leaky -o "$OUT/own" "$OUT/own.rs" >"$OUT/build.log" 2>&1 || {
	echo "an allocator of its own:"; cat "$OUT/build.log"; exit 1; }
"$MTRACE" -m 0 -d 30 --export json:"$JSON" "$OUT/own" 2>"$STDERR" || { cat "$STDERR"; exit 1; }
grep -q '"op": "__rust_alloc"' "$JSON" || { echo "no __rust_alloc"; exit 1; }
"$OUT/../../expect" "$EXPECT" "$JSON" || { echo "with an allocator of its own"; exit 1; }
