/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Damaged unwinding tables of ARM, and code that is none: an object with tables
 * in each form is changed at places that a fixed seed chooses, then every
 * function is asked for.
 *
 * With clang: -fsanitize=fuzzer,address -DLIBFUZZER.  Without, main() does it for
 * FUZZ_SECONDS (2) seconds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "../unit/exidx-fixture.h"
#include "arch/arm/unwind.h"
#include "elf/elf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct abi arm = { .name = "arm", .code_bit = 1 };

static void ask(struct elf_file *f, taddr_t at)
{
	struct abi_code code = { .start = at - at % 64, .end = at + 256, .unknown = at & 4 ? at : 0 };
	struct exidx_entry e;
	struct abi_frame frame;
	uint64_t len;

	if (elf_file_exidx(f, at, &e) == EXIDX_OPS)
		arm_exidx(&arm, e.ops, e.n, &frame);
	code.bytes = elf_file_code(f, code.start, &len);
	if (!code.bytes)
		return;
	code.end = MIN(code.end, code.start + len);
	arm_prologue(&arm, &code, at, &frame);
	arm_sigreturn(&arm, at, code.bytes, MIN(len, (uint64_t)8), &frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_file *f = elf_file_from_image(data, size, 0, "[fuzz]");

	for (taddr_t at = TEXT_AT - 8; f && at < OBJECT_SIZE + 8; at += 5)
		ask(f, at);
	elf_file_unref(f);
	return 0;
}

#ifndef LIBFUZZER

static uint64_t seed = 20;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void make_object(struct exidx_object *o)
{
	static const uint32_t words[] = { 0x8103b281, 0x0184089b, 0xd1b104a8, 0x00000010, 0x01b0aa97,
					  0xa1a2a3a4 };
	static const uint16_t code[] = { 0xb570, 0xb084, 0xe8df, 0xf000, 0x2008, 0x4c60, 0xd0fe,
					 0xe92d, 0x4ff0, 0xf5ad, 0x6d82, 0xf7ff, 0xfffe, 0xbd70 };

	exidx_begin(o, true);
	for (unsigned i = 0; i < 16; i++) {
		unsigned start = TEXT_AT + 64 * i;

		if (i % 3)
			exidx_far(o, start, words + 3 * (i % 3 - 1), 3);
		else
			exidx_entry(o, start, i % 2 ? 1 : 0x8002afb0);
		memcpy(o->b + start, code, sizeof code);
	}
	exidx_end(o, true);
}

static void mutate(struct exidx_object *o)
{
	for (unsigned n = 1 + next_random() % 32; n--;) {
		uint64_t v = next_random();

		o->b[next_random() % (v % 4 ? OBJECT_SIZE : 0x120)] = (uint8_t)(v >> 8);
	}
}

int main(void)
{
	const char *s = getenv("FUZZ_SECONDS"), *start = getenv("FUZZ_SEED");
	double seconds = s ? atof(s) : 2;
	struct timespec began, now;
	unsigned long runs = 0;
	struct exidx_object o;

	if (start)
		seed = strtoull(start, NULL, 0) | 1;
	printf("1..1\n");
	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		make_object(&o);
		if (runs)
			mutate(&o);
		LLVMFuzzerTestOneInput(o.b, sizeof o.b);
		runs++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - began.tv_sec) +
		 (double)(now.tv_nsec - began.tv_nsec) / 1e9 < seconds);
	printf("ok 1 - %lu damaged tables\n", runs);
	return 0;
}

#endif
