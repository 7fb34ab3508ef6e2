/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a log of N events of the bench workload's kind, as fast as the tracer's side
 * takes them, and says what one cost and how long it is:
 *
 *     log-events N FILE [plain]
 *
 * The events are those of workload.h as a recorder tells them: rings of 1024 blocks of
 * 8 to 512 bytes, at addresses that an allocator which reuses the last block freed
 * would give; twelve microseconds, more or less, lie between two. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "serve/log.h"

#define RING 1024
#define STACKS 12

static uint64_t seed, now_ns;

static uint64_t rnd(void)
{
	return hash_u64(seed += 0x9e3779b97f4a7c15u);
}

static struct {
	taddr_t addr;
	uint64_t size;
	uint32_t stack;
} ring[RING];

/* Free lists of 16-byte classes; what is not there comes from the top. */
static taddr_t freed[64][RING * 2];
static size_t nfreed[64];
static taddr_t top = 0x5555555592a0;

static taddr_t take(uint64_t size)
{
	size_t class = (size + 8 + 15) / 16;
	taddr_t addr;

	if (nfreed[class])
		return freed[class][--nfreed[class]];
	addr = top;
	top += class * 16;
	return addr;
}

static void give(taddr_t addr, uint64_t size)
{
	size_t class = (size + 8 + 15) / 16;

	if (nfreed[class] < RING * 2)
		freed[class][nfreed[class]++] = addr;
}

static void send(struct event_sink *sink, struct event *ev)
{
	ev->pid = 4711;
	ev->tid = 4711;
	ev->time_ns = now_ns / 1000 * 1000;
	sink->emit(sink, ev);
}

static void begin(struct event_sink *sink)
{
	taddr_t pc[11];
	uint32_t module[11];
	uint8_t exact[11] = { 0 };

	send(sink, &(struct event){ .type = EV_PROC, .u.proc = { PROC_LAUNCHED, 1, "/bin/bench", "bench",
								 8, "x86-64" } });
	send(sink, &(struct event){ .type = EV_PROBE, .u.probe = { 0, OP_ALLOC, FAMILY_C, "malloc",
								   "malloc", false } });
	send(sink, &(struct event){ .type = EV_PROBE, .u.probe = { 1, OP_RELEASE, FAMILY_C, "free",
								   "free", false } });
	for (uint32_t id = 1; id <= STACKS; id++) {
		for (unsigned i = 0; i < 11; i++) {
			pc[i] = 0x555555555000 + rnd() % 4096;
			module[i] = 1;
		}
		send(sink, &(struct event){ .type = EV_STACK, .u.stack = { id, 0, STACK_COMPLETE, 0, 11, pc,
									   module, exact } });
	}
}

/* One operation at the next slot. */
static void operate(struct event_sink *sink, size_t slot)
{
	struct event ev = { .type = EV_ALLOC };

	now_ns += 8000 + rnd() % 8000;
	if (ring[slot].addr) {
		ev.type = EV_RELEASE;
		ev.u.release.addr = ring[slot].addr;
		ev.u.release.size = ring[slot].size;
		ev.u.release.stack = ring[slot].stack;
		ev.u.release.probe = 1;
		ev.u.release.allocator = 2;
		give(ring[slot].addr, ring[slot].size);
		ring[slot].addr = 0;
	} else {
		ring[slot].size = 8 + rnd() % 505;
		ring[slot].addr = take(ring[slot].size);
		ring[slot].stack = 1 + (uint32_t)(rnd() % STACKS);
		ev.u.alloc.addr = ring[slot].addr;
		ev.u.alloc.size = ring[slot].size;
		ev.u.alloc.stack = ring[slot].stack;
	}
	send(sink, &ev);
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	const char *const words[] = { "bench", NULL };
	struct wire_hello hello = { .tool = "bench", .nwords = 1, .words = words, .command = 1 };
	struct log_opts opts = { .path = argc > 2 ? argv[2] : "", .hello = &hello,
				 .plain = argc > 3 && !strcmp(argv[3], "plain") };
	struct log_totals totals;
	struct event_sink *sink;
	double cpu, wall;

	if (!n || argc < 3 || log_check_writable(opts.path) || !(sink = log_sink_new(&opts, NULL))) {
		fprintf(stderr, "usage: log-events N FILE [plain]\n");
		return 2;
	}
	begin(sink);
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	for (unsigned long i = 0; i < n; i++)
		operate(sink, i % RING);
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	log_sink_end(sink, &totals);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	printf("log-events: %lu events, %.1f ns each of the tracer's thread, %.1f ns until all was "
	       "written, %.2f bytes\n", n, cpu * 1e9 / (double)n, wall * 1e9 / (double)n,
	       (double)totals.bytes / (double)n);
	sink->free(sink);
	return totals.error ? 1 : 0;
}
