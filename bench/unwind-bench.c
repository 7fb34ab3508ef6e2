/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a warm backtrace costs: unwind-bench [DEPTH [CHAINS]].
 *
 * A child is held in ptrace stops in CHAINS different call chains of DEPTH
 * nested functions, half of them without a frame pointer.  Prints nanoseconds
 * per backtrace with the stack read before (the unwinder alone; of many chains
 * the copies do not fit the cache, which is paid here too) and with the read. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arch/host.h"
#include "base/hash.h"
#include "base/msg.h"
#include "trace/unwind.h"

#define STACK 2048
#define ROUNDS 300

struct sample {
	struct regs regs;
	struct stack_copy copy;
	uint8_t bytes[STACK];
};

static pid_t child;

static ssize_t read_child(void *arg, taddr_t addr, void *buf, size_t len)
{
	struct iovec to = { buf, len }, from = { (void *)(uintptr_t)addr, len };
	ssize_t n = process_vm_readv(child, &to, 1, &from, 1, 0);

	(void)arg;
	return n < 0 ? -errno : n;
}

/* -- the child: 192 functions of 16 call sites each ------------------------ */

static volatile unsigned digits; /* four bits for each level: the site to call from */
static volatile int left;
static volatile uint64_t sink;

static void descend(void);

/* Each case is a call site of its own; the shapes differ in what is saved. */
#define SITE(n) case n: descend(); sink += n; break;
#define SITES SITE(0) SITE(1) SITE(2) SITE(3) SITE(4) SITE(5) SITE(6) SITE(7) \
	SITE(8) SITE(9) SITE(10) SITE(11) SITE(12) SITE(13) SITE(14) SITE(15)
#define LEVEL(name, attr)                                    \
	static __attribute__((noinline, noclone_ attr)) void name(uint64_t a, uint64_t b) \
	{                                                    \
		uint64_t c = a * 3, d = b ^ a;               \
		unsigned digit = digits & 15;                \
		digits = digits >> 4 | digits << 28;         \
		switch (digit) { SITES }                     \
		sink += a + b + c + d;                       \
	}
#ifdef __clang__
#define noclone_
#define WITH_FP
#else
#define noclone_ noclone
#define WITH_FP , optimize("no-omit-frame-pointer")
#endif
#define EIGHT(m, n) m(n##0) m(n##1) m(n##2) m(n##3) m(n##4) m(n##5) m(n##6) m(n##7)
#define MANY(m) EIGHT(m, a) EIGHT(m, b) EIGHT(m, c) EIGHT(m, d) EIGHT(m, e) EIGHT(m, f) \
	EIGHT(m, g) EIGHT(m, h) EIGHT(m, i) EIGHT(m, j) EIGHT(m, k) EIGHT(m, l)
#define LEVELS(n) LEVEL(level_##n, ) LEVEL(framed_##n, WITH_FP)
MANY(LEVELS)

#define ENTRIES(n) level_##n, framed_##n,
static void (*const levels[])(uint64_t, uint64_t) = { MANY(ENTRIES) };

static __attribute__((noinline)) void descend(void)
{
	if (left-- > 0)
		levels[(digits * 0x9e3779b9u >> 8) % ARRAY_SIZE(levels)](sink, digits);
	else
		raise(SIGTRAP);
	sink++;
}

static _Noreturn void run_child(unsigned chains, int depth)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	for (unsigned i = 0; i < chains; i++) {
		digits = (unsigned)hash_u64(i + 1);
		left = depth;
		descend();
	}
	_exit(0);
}

/* -- measuring ------------------------------------------------------------- */

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static bool next_sample(struct sample *s)
{
	int status;
	ssize_t n;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return false;
	if (host_get_regs(child, &s->regs) < 0)
		die("no registers");
	n = read_child(NULL, regs_sp(&s->regs), s->bytes, STACK);
	s->copy = (struct stack_copy){ .addr = regs_sp(&s->regs), .len = n > 0 ? (size_t)n : 0,
				       .cap = STACK, .bytes = s->bytes };
	return true;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median over rounds of ns per backtrace. */
static double measure(struct unwinder *u, struct sample *s, unsigned n, unsigned depth, bool reading)
{
	static struct backtrace b;
	double ns[ROUNDS];
	unsigned rounds = MAX(ROUNDS / MAX(n / 100, 1u), 5u);

	for (unsigned r = 0; r < rounds; r++) {
		uint64_t t = now();

		for (unsigned i = 0; i < n; i++) {
			if (reading)
				read_child(NULL, s[i].copy.addr, s[i].bytes, s[i].copy.len);
			unwind_any(u, &s[i].regs, &s[i].copy, depth, &b);
		}
		ns[r] = (double)(now() - t) / n;
	}
	qsort(ns, rounds, sizeof *ns, by_value);
	return ns[rounds / 2];
}

static unsigned distinct(struct unwinder *u, struct sample *s, unsigned n, unsigned depth)
{
	static struct backtrace b;
	struct u64map seen = U64MAP_INIT;
	size_t count;

	for (unsigned i = 0; i < n; i++) {
		unwind_any(u, &s[i].regs, &s[i].copy, depth, &b);
		for (uint32_t k = 0; k < b.n; k++)
			u64map_set(&seen, b.pc[k], 1);
	}
	count = seen.n;
	u64map_release(&seen);
	return (unsigned)count;
}

int main(int argc, char **argv)
{
	unsigned depth = argc > 1 ? (unsigned)atoi(argv[1]) : 10;
	unsigned chains = argc > 2 ? (unsigned)atoi(argv[2]) : 1500;
	struct sample *s = xcalloc(chains + 1, sizeof *s);
	struct mem_reader mem = { read_child, NULL };
	static const unsigned some[] = { 3, 20, 200 };
	struct modules modules;
	struct unwinder *u;
	struct maps maps;
	unsigned n = 0;

	child = fork();
	if (!child)
		run_child(chains, (int)depth * 2);
	/* The stack of a sample is gone when the child goes on; the copies
	 * stay, and they are long enough. */
	while (n < chains && next_sample(&s[n])) {
		n++;
		if (n < chains)
			ptrace(PTRACE_CONT, child, 0, 0);
	}
	modules_init(&modules, child, &mem);
	if (!n || maps_read(&maps, child) < 0)
		die("the child cannot be traced");
	modules_update(&modules, &maps, NULL, NULL, NULL);
	u = unwinder_new(s[0].regs.abi, &modules, &mem, NULL, NULL);
	printf("depth %u\n%10s %12s %12s %12s\n", depth, "chains", "call sites", "unwind ns",
	       "+ read ns");
	for (size_t i = 0; i <= ARRAY_SIZE(some); i++) {
		unsigned k = i < ARRAY_SIZE(some) ? MIN(some[i], n) : n;
		unsigned sites = distinct(u, s, k, depth);
		double alone = measure(u, s, k, depth, false);

		printf("%10u %12u %12.0f %12.0f\n", k, sites, alone,
		       measure(u, s, k, depth, true));
	}
	printf("refills %" PRIu64 ", rows %" PRIu64 "\n", unwinder_stats(u)->refills,
	       unwinder_stats(u)->row_misses);
	kill(child, SIGKILL);
	return 0;
}
