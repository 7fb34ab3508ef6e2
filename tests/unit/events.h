/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeding a heap with events, one line each, for the tests of the host side. */
#ifndef MTRACE_TESTS_EVENTS_H
#define MTRACE_TESTS_EVENTS_H

#include "heap/heap.h"

#define MS UINT64_C(1000000)

struct feed {
	struct heap *heap;
	pid_t pid;
	uint64_t now;
};

static inline void feed_send(struct feed *f, struct event *ev)
{
	struct event_sink *sink = heap_sink(f->heap);

	ev->pid = ev->tid = f->pid;
	ev->time_ns = f->now;
	sink->emit(sink, ev);
}

#define FEED(f, ...) feed_send(f, &(struct event){ __VA_ARGS__ })

static inline void feed_proc(struct feed *f, pid_t pid, enum proc_how how, pid_t ppid,
			     const char *exe)
{
	f->pid = pid;
	FEED(f, .type = EV_PROC, .u.proc = { .how = how, .ppid = ppid, .exe = exe, .word = 8,
					     .abi = "x86-64" });
}

static inline void feed_end(struct feed *f, enum proc_end_how how, int status)
{
	FEED(f, .type = EV_PROC_END, .u.end = { how, status });
}

static inline void feed_module(struct feed *f, uint32_t id, taddr_t start, const char *path)
{
	FEED(f, .type = EV_MODULE, .u.module = { .id = id, .start = start, .end = start + 0x100000,
						 .bias = start, .path = path });
}

static inline void feed_probe(struct feed *f, uint16_t id, enum alloc_op op, const char *name)
{
	FEED(f, .type = EV_PROBE, .u.probe = { .id = id, .op = op, .name = name });
}

static inline void feed_stack_end(struct feed *f, uint32_t id, uint16_t probe, enum stack_end end,
				  uint32_t n, const taddr_t *pc, const uint32_t *module)
{
	FEED(f, .type = EV_STACK, .u.stack = { .id = id, .probe = probe, .end = (uint8_t)end,
					       .n = n, .pc = pc, .module = module });
}

static inline void feed_alloc(struct feed *f, taddr_t addr, uint64_t size, uint32_t stack)
{
	FEED(f, .type = EV_ALLOC, .u.alloc = { .addr = addr, .size = size, .stack = stack });
}

static inline void feed_release(struct feed *f, taddr_t addr, uint64_t size, uint32_t stack)
{
	FEED(f, .type = EV_RELEASE, .u.release = { .addr = addr, .size = size, .stack = stack });
}

static inline void feed_failed(struct feed *f, uint64_t size, uint32_t stack)
{
	FEED(f, .type = EV_FAILED, .u.alloc = { .size = size, .stack = stack });
}

static inline void feed_realloc(struct feed *f, taddr_t old, uint64_t old_size, uint32_t old_stack,
				taddr_t addr, uint64_t size, uint32_t stack, bool failed)
{
	FEED(f, .type = EV_REALLOC_BEGIN,
	     .u.release = { .addr = old, .size = old_size, .stack = old_stack });
	FEED(f, .type = EV_REALLOC,
	     .u.realloc = { .old_addr = old, .old_size = old_size, .old_stack = old_stack,
			    .addr = addr, .size = size, .stack = stack, .failed = failed });
}

/* Blocks of one size, older than the attach; the stack is announced first. */
static inline void feed_census(struct feed *f, uint32_t stack, uint16_t probe, uint64_t blocks,
			       uint64_t size, taddr_t word, uint32_t module)
{
	feed_stack_end(f, stack, probe, STACK_COMPLETE, 0, NULL, NULL);
	FEED(f, .type = EV_CENSUS, .u.census = { .stack = stack, .blocks = blocks,
						 .bytes = blocks * size, .min_size = size,
						 .max_size = size, .word = word, .module = module });
}

static inline void feed_map(struct feed *f, taddr_t addr, uint64_t size, uint32_t stack)
{
	FEED(f, .type = EV_MAP, .u.map = { .addr = addr, .size = size, .stack = stack });
}

static inline void feed_unmap(struct feed *f, taddr_t addr, uint64_t size)
{
	FEED(f, .type = EV_UNMAP, .u.map = { .addr = addr, .size = size });
}

#endif
