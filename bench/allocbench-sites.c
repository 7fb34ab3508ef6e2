/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 3 000 call sites of malloc and as many of free, each ten frames deep and under its own stack:
 * a tree of functions, ten branches wide.  A tracer that keeps unwinding rows by code address
 * needs about 7 000 of them here.  allocbench-sites [OPERATIONS] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SITES 3000
#define FRAME static __attribute__((noinline)) long

static void *held[SITES];
static volatile long used;

/* A leaf takes a block the first time and gives it back the next. */
#define LEAF(n) FRAME leaf##n(unsigned site) \
	{ \
		if (held[site]) { \
			free(held[site]); \
			held[site] = NULL; \
			return n + 0x1##n; \
		} \
		held[site] = malloc(8 + site % 505); \
		*(volatile char *)held[site] = 1; \
		return 0x2##n; \
	}
#define BRANCH(inner, n, digit) case digit: result = inner##n##digit(site); break;
#define NODE(outer, inner, n, unit) FRAME outer##n(unsigned site) \
	{ \
		volatile long result = 0; \
		switch (site / unit % 10) { \
		BRANCH(inner, n, 0) BRANCH(inner, n, 1) BRANCH(inner, n, 2) BRANCH(inner, n, 3) \
		BRANCH(inner, n, 4) BRANCH(inner, n, 5) BRANCH(inner, n, 6) BRANCH(inner, n, 7) \
		BRANCH(inner, n, 8) BRANCH(inner, n, 9) \
		} \
		return result + 0x3##n; \
	}
/* TENi(M, n) makes M(n0) … M(n9); three of them, as a macro does not expand inside itself. */
#define TEN1(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7) M(n##8) M(n##9)
#define LEAVES10(n) TEN1(LEAF, n)
#define TEN2(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7) M(n##8) M(n##9)
#define LEAVES100(n) TEN2(LEAVES10, n)
#define TEN3(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7) M(n##8) M(n##9)
#define LEAVES1000(n) TEN3(LEAVES100, n)
LEAVES1000(1) LEAVES1000(2) LEAVES1000(3)

#define NODE9(n) NODE(node9_, leaf, n, 1)
#define NODES9_10(n) TEN1(NODE9, n)
#define NODES9_100(n) TEN2(NODES9_10, n)
NODES9_100(1) NODES9_100(2) NODES9_100(3)
#define NODE8(n) NODE(node8_, node9_, n, 10)
#define NODES8_10(n) TEN1(NODE8, n)
NODES8_10(1) NODES8_10(2) NODES8_10(3)
#define NODE7(n) NODE(node7_, node8_, n, 100)
NODE7(1) NODE7(2) NODE7(3)

FRAME frame6(unsigned site)
{
	volatile long result;

	switch (site / 1000) {
	case 0: result = node7_1(site); break;
	case 1: result = node7_2(site); break;
	default: result = node7_3(site); break;
	}
	return result + site;
}

#define NESTED(outer, inner) FRAME outer(unsigned site) \
	{ \
		volatile long result = inner(site); \
		return result + site; \
	}
NESTED(frame5, frame6)
NESTED(frame4, frame5)
NESTED(frame3, frame4)
NESTED(frame2, frame3)
NESTED(frame1, frame2)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	uint64_t operations = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000, i;
	unsigned site = 0;
	double begin, end;

	/* Once round untimed: rows and stacks are met for the first time only once. */
	for (i = 0; i < 2 * SITES; i++)
		used += frame1(i % SITES);
	begin = now();
	for (i = 0; i < operations; i++) {
		used += frame1(site);
		/* 1009 and 3000 have no common divisor: every site has its turn. */
		site = (site + 1009) % SITES;
	}
	end = now();
	printf("allocbench-sites: %llu operations, 1 threads: %.1f ns/operation\n",
		(unsigned long long)operations, (end - begin) / (double)operations);
	return 0;
}
