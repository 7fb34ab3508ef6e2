/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code made at run time calls malloc, and malloc rewrites the instruction it
 * will return to: the new one must run, and stay as written.  Then the page is
 * made read-only, called, filled with other code at other offsets, and unmapped.
 * Build: plain; x86-64 only, elsewhere it does nothing.
 * Run: traced from the start; the calls from C are counted exactly. */
#include <stdint.h>
#include <sys/mman.h>
#include "expect.h"

#define ROUNDS 300
#define PAGE 4096
#ifdef __x86_64__
#define CAN_RUN 1
#else
#define CAN_RUN 0
#endif

static char arena[1 << 20] __attribute__((aligned(16)));
static size_t used;
static unsigned char *page;
static char *last;
static const unsigned char *rewrite; /* for the return address; NULL: nothing */

/* What may stand behind the call, and what it adds to the result. */
static const struct { unsigned char code[4]; int adds; } after[] = {
	{ { 0x48, 0x83, 0xc0, 0x05 }, 5 }, /* add $5,%rax */
	{ { 0x0f, 0x1f, 0x40, 0x00 }, 0 }, /* nopl 0(%rax) */
	{ { 0x90, 0x48, 0xff, 0xc0 }, 1 }, /* nop; inc %rax */
};

__attribute__((noinline)) void *malloc(size_t n)
{
	unsigned char *ret = __builtin_return_address(0);

	last = arena + used;
	used = (used + n + 15) & ~(size_t)15;
	EXPECT_THAT(used < sizeof arena);
	if (rewrite && ret >= page && ret < page + PAGE)
		memcpy(ret, rewrite, 4);
	return last;
}

__attribute__((noinline)) void free(void *p)
{
	KEEP(p);
}

/* sub $8,%rsp; mov $n,%edi; mov $malloc,%rax; call *%rax; AFTER; add $8,%rsp;
 * ret.  Returns where AFTER is. */
static unsigned char *write_code(unsigned char *p, int n, int which)
{
	static const unsigned char head[] = { 0x48, 0x83, 0xec, 0x08, 0xbf },
				   tail[] = { 0x48, 0x83, 0xc4, 0x08, 0xc3 };
	uint64_t target = (uintptr_t)malloc;

	memcpy(p, head, 5);
	memcpy(p + 5, &n, 4);
	p[9] = 0x48;
	p[10] = 0xb8;
	memcpy(p + 11, &target, 8);
	p[19] = 0xff;
	p[20] = 0xd0;
	memcpy(p + 21, after[which].code, 4);
	memcpy(p + 25, tail, 5);
	return p + 21;
}

static void call(unsigned char *code, int adds)
{
	char *(*f)(void);

	memcpy(&f, &code, sizeof f);
	EXPECT_THAT(f() == last + adds);
}

static void round_of(int i)
{
	unsigned char *code = page + i % 40 * 3, *site = write_code(code, 16 + i % 100, i % 3);
	int then = (i + 1) % 3;

	rewrite = after[then].code;
	call(code, after[then].adds);
	EXPECT_THAT(!memcmp(site, after[then].code, 4));
	rewrite = NULL;
	call(code, after[then].adds);
	if (i % 10)
		return;
	EXPECT_THAT(!mprotect(page, PAGE, PROT_READ | PROT_EXEC));
	call(code, after[then].adds);
	call(code, after[then].adds);
	EXPECT_THAT(!memcmp(site, after[then].code, 4));
	EXPECT_THAT(!mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
}

__attribute__((noinline)) static void plain_alloc(void)
{
	void *p = malloc(64);

	KEEP(p);
	free(p);
}

int main(void)
{
	for (int i = 0; CAN_RUN && i < ROUNDS; i++) {
		if (i % 100 == 0)
			page = mmap(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		EXPECT_THAT(page != MAP_FAILED);
		round_of(i);
		plain_alloc();
		if (i % 100 == 99)
			EXPECT_THAT(!munmap(page, PAGE));
	}
	expect_stack("plain_alloc", "total_blocks", CAN_RUN * ROUNDS);
	expect_stack("plain_alloc", "open_blocks", 0);
	return 0;
}
