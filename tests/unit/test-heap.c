/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counting rules, fork, exec, mappings, and nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>

#include "events.h"

enum { P_MALLOC, P_REALLOC, P_MMAP, P_FREE };

static struct feed start(void)
{
	static const taddr_t pc[] = { 0x401000, 0x402000 };
	static const uint32_t module[] = { 1, 1 };
	struct feed f = { .heap = heap_new(), .now = 5 * MS };

	feed_proc(&f, 100, PROC_LAUNCHED, 0, "/bin/prog");
	feed_module(&f, 1, 0x400000, "/bin/prog");
	feed_probe(&f, P_MALLOC, OP_ALLOC, "malloc");
	feed_probe(&f, P_REALLOC, OP_REALLOC, "realloc");
	feed_probe(&f, P_MMAP, OP_MAP, "mmap");
	feed_probe(&f, P_FREE, OP_RELEASE, "free");
	feed_stack_end(&f, 1, P_MALLOC, STACK_COMPLETE, 2, pc, module);
	feed_stack_end(&f, 2, P_REALLOC, STACK_COMPLETE, 2, pc, module);
	feed_stack_end(&f, 3, P_MMAP, STACK_COMPLETE, 2, pc, module);
	feed_stack_end(&f, 4, P_MMAP, STACK_CUT, 1, pc, module);
	return f;
}

static const struct heap_proc *proc(const struct feed *f, pid_t pid)
{
	const struct heap_proc *p = heap_proc_find(f->heap, pid);

	assert_non_null(p);
	return p;
}

static const struct heap_count *count(const struct feed *f, pid_t pid, uint32_t stack)
{
	const struct heap_proc *p = proc(f, pid);

	for (size_t i = 0; i < p->counts.n; i++)
		if (p->counts.v[i].stack == stack)
			return &p->counts.v[i];
	fail_msg("nothing was counted for stack %u", stack);
	return NULL;
}

static void check_totals(const struct feed *f, uint64_t allocs, uint64_t frees, uint64_t bytes,
			 uint64_t open_blocks, uint64_t open_bytes)
{
	const struct heap_totals *t = &proc(f, f->pid)->total;

	assert_int_equal(t->allocs, allocs);
	assert_int_equal(t->frees, frees);
	assert_int_equal(t->bytes_allocated, bytes);
	assert_int_equal(t->open_blocks, open_blocks);
	assert_int_equal(t->open_bytes, open_bytes);
}

static void alloc_and_release(void **state)
{
	struct feed f = start();
	const struct heap_count *c;

	(void)state;
	feed_alloc(&f, 0x1000, 80, 1);
	feed_alloc(&f, 0x2000, 20, 1);
	f.now = 9 * MS;
	feed_alloc(&f, 0x3000, 0, 1);
	feed_release(&f, 0x1000, 80, 1);
	check_totals(&f, 3, 1, 100, 2, 20);
	assert_int_equal(proc(&f, 100)->total.peak_bytes, 100);
	assert_int_equal(proc(&f, 100)->total.peak_blocks, 2);
	assert_int_equal(proc(&f, 100)->total.peak_ns, 5 * MS);
	c = count(&f, 100, 1);
	assert_int_equal(c->open_blocks, 2);
	assert_int_equal(c->open_bytes, 20);
	assert_int_equal(c->total_blocks, 3);
	assert_int_equal(c->total_bytes, 100);
	assert_int_equal(c->min_size, 0);
	assert_int_equal(c->max_size, 80);
	assert_int_equal(c->last_ns, 9 * MS);
	heap_free(f.heap);
}

static void products(void **state)
{
	struct feed f = start();
	const struct heap_count *c;

	(void)state;
	FEED(&f, .type = EV_ALLOC, .u.alloc = { 0x1000, 40, 1, 0, { true, 10, 4 } });
	FEED(&f, .type = EV_ALLOC, .u.alloc = { 0x2000, 60, 1, 0, { true, 5, 12 } });
	FEED(&f, .type = EV_FAILED, .u.alloc = { 0, UINT64_MAX, 1, 0, { true, UINT64_MAX, 2 } });
	feed_alloc(&f, 0x3000, 1, 2);
	c = count(&f, 100, 1);
	assert_true(c->product.any && c->failed_product.any);
	assert_int_equal(c->product.min_count, 5);
	assert_int_equal(c->product.max_count, 10);
	assert_int_equal(c->product.min_each, 4);
	assert_int_equal(c->product.max_each, 12);
	assert_true(c->failed_product.min_count == UINT64_MAX);
	assert_int_equal(c->failed_product.max_each, 2);
	assert_false(count(&f, 100, 2)->product.any);
	heap_free(f.heap);
}

static void release_of_no_block(void **state)
{
	struct feed f = start();

	(void)state;
	feed_alloc(&f, 0x1000, 80, 1);
	FEED(&f, .type = EV_RELEASE, .u.release = { .addr = 0x9, .known = RELEASE_UNKNOWN });
	FEED(&f, .type = EV_RELEASE, .u.release = { .addr = 0x9, .known = RELEASE_SHUTDOWN });
	check_totals(&f, 1, 0, 80, 1, 80);
	assert_int_equal(proc(&f, 100)->total.unknown_releases, 1);
	assert_int_equal(proc(&f, 100)->total.shutdown_releases, 1);
	FEED(&f, .type = EV_RELEASE_UNDO, .u.release = { .addr = 0x9, .known = RELEASE_UNKNOWN });
	assert_int_equal(proc(&f, 100)->total.unknown_releases, 0);
	heap_free(f.heap);
}

static void release_undone(void **state)
{
	struct feed f = start();

	(void)state;
	feed_alloc(&f, 0x1000, 80, 1);
	feed_release(&f, 0x1000, 80, 1);
	FEED(&f, .type = EV_RELEASE_UNDO,
	     .u.release = { .addr = 0x1000, .size = 80, .stack = 1 });
	check_totals(&f, 1, 0, 80, 1, 80);
	assert_int_equal(count(&f, 100, 1)->open_blocks, 1);
	assert_int_equal(count(&f, 100, 1)->total_blocks, 1);
	heap_free(f.heap);
}

static struct heap_aged aged(const struct feed *f, uint32_t stack, uint32_t mark)
{
	const struct heap_proc *p = proc(f, f->pid);

	for (size_t i = 0; i < p->aged.n; i++)
		if (p->aged.v[i].stack == stack && p->aged.v[i].mark == mark)
			return p->aged.v[i];
	return (struct heap_aged){ 0 };
}

static void feed_mark(struct feed *f, uint32_t nr)
{
	pid_t pid = f->pid;

	f->pid = 0; /* of no process */
	FEED(f, .type = EV_MARK, .u.mark = { nr });
	f->pid = pid;
}

static void marks(void **state)
{
	struct feed f = start();

	(void)state;
	feed_alloc(&f, 0x1000, 80, 1);
	assert_int_equal(proc(&f, 100)->aged.n, 0);
	feed_mark(&f, 1);
	f.now = 9 * MS;
	feed_mark(&f, 2);
	feed_mark(&f, 7); /* not the next one */
	assert_int_equal(heap_nmarks(f.heap), 2);
	assert_int_equal(heap_mark_ns(f.heap, 1), 5 * MS);
	assert_int_equal(heap_mark_ns(f.heap, 2), 9 * MS);
	FEED(&f, .type = EV_ALLOC, .u.alloc = { 0x2000, 10, 1, 2, { 0 } });
	FEED(&f, .type = EV_ALLOC, .u.alloc = { 0x3000, 0, 1, 2, { 0 } });
	assert_int_equal(aged(&f, 1, 2).blocks, 2);
	assert_int_equal(aged(&f, 1, 2).bytes, 10);
	feed_release(&f, 0x1000, 80, 1);
	assert_int_equal(aged(&f, 1, 2).blocks, 2);
	FEED(&f, .type = EV_RELEASE, .u.release = { .addr = 0x2000, .size = 10, .stack = 1, .mark = 2 });
	FEED(&f, .type = EV_RELEASE_UNDO,
	     .u.release = { .addr = 0x2000, .size = 10, .stack = 1, .mark = 2 });
	assert_int_equal(aged(&f, 1, 2).bytes, 10);
	FEED(&f, .type = EV_REALLOC,
	     .u.realloc = { .old_addr = 0x2000, .old_size = 10, .old_stack = 1, .old_mark = 2,
			    .addr = 0x4000, .size = 30, .stack = 2, .mark = 3 });
	assert_int_equal(aged(&f, 1, 2).bytes, 0);
	assert_int_equal(aged(&f, 2, 3).bytes, 30);
	FEED(&f, .type = EV_REALLOC,
	     .u.realloc = { .old_addr = 0x4000, .old_size = 30, .old_stack = 2, .old_mark = 3,
			    .size = 99, .stack = 2, .mark = 3, .failed = true });
	assert_int_equal(aged(&f, 2, 3).bytes, 30);
	assert_int_equal(proc(&f, 100)->aged.n, 2);
	FEED(&f, .type = EV_RELEASE, .u.release = { .addr = 0x3000, .stack = 1, .mark = 2 });
	assert_int_equal(proc(&f, 100)->aged.n, 1);
	feed_proc(&f, 100, PROC_EXECED, 0, "/bin/next");
	assert_int_equal(proc(&f, 100)->aged.n, 0);
	heap_free(f.heap);
}

/* Against the sum over a plain list of blocks. */
static void marks_of_many(void **state)
{
	enum { BLOCKS = 400, STACKS = 3, MARKS = 9 };
	struct { uint64_t size; uint32_t stack, mark; bool open; } b[BLOCKS] = { 0 };
	struct feed f = start();
	uint64_t seed = 3;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		unsigned i = (unsigned)((seed = seed * 6364136223846793005u + 1) >> 40) % BLOCKS;
		uint32_t mark = (uint32_t)step * MARKS / 20000;

		if (b[i].open) {
			FEED(&f, .type = EV_RELEASE,
			     .u.release = { .size = b[i].size, .stack = b[i].stack, .mark = b[i].mark });
			b[i].open = false;
			continue;
		}
		b[i].size = seed >> 50;
		b[i].stack = (uint32_t)(seed >> 35) % STACKS;
		b[i].mark = mark;
		b[i].open = true;
		FEED(&f, .type = EV_ALLOC, .u.alloc = { 0, b[i].size, b[i].stack, mark, { 0 } });
	}
	for (uint32_t s = 0; s < STACKS; s++)
		for (uint32_t m = 0; m < MARKS; m++) {
			int64_t blocks = 0, bytes = 0;

			for (size_t i = 0; i < BLOCKS; i++)
				if (b[i].open && b[i].stack == s && b[i].mark == m) {
					blocks++;
					bytes += (int64_t)b[i].size;
				}
			assert_int_equal(aged(&f, s, m).blocks, m ? blocks : 0);
			assert_int_equal(aged(&f, s, m).bytes, m ? bytes : 0);
		}
	heap_free(f.heap);
}

static void realloc_rules(void **state)
{
	struct feed f = start();

	(void)state;
	feed_alloc(&f, 0x1000, 100, 1);
	/* Grown: one allocation of the full new size, one release. */
	feed_realloc(&f, 0x1000, 100, 1, 0x2000, 150, 2, false);
	check_totals(&f, 2, 1, 250, 1, 150);
	assert_int_equal(count(&f, 100, 1)->open_blocks, 0);
	assert_int_equal(count(&f, 100, 2)->open_bytes, 150);
	/* Never were both open: the mark is the larger one. */
	assert_int_equal(proc(&f, 100)->total.peak_bytes, 150);
	/* Refused: the old one stays. */
	feed_realloc(&f, 0x2000, 150, 2, 0, 1000000, 2, true);
	check_totals(&f, 2, 1, 250, 1, 150);
	assert_int_equal(proc(&f, 100)->total.failed, 1);
	assert_int_equal(count(&f, 100, 2)->failed_max, 1000000);
	/* realloc(p, 0) that released. */
	feed_realloc(&f, 0x2000, 150, 2, 0, 0, 2, false);
	check_totals(&f, 2, 2, 250, 0, 0);
	/* A block from before the attach. */
	feed_realloc(&f, 0x7000, 0, 0, 0x8000, 64, 2, false);
	check_totals(&f, 3, 2, 314, 1, 64);
	assert_int_equal(proc(&f, 100)->total.unknown_releases, 1);
	heap_free(f.heap);
}

static void refused(void **state)
{
	struct feed f = start();

	(void)state;
	feed_failed(&f, UINT64_MAX, 1);
	feed_failed(&f, 500, 1);
	feed_failed(&f, 4096, 3);
	check_totals(&f, 0, 0, 0, 0, 0);
	assert_int_equal(proc(&f, 100)->total.failed, 2);
	assert_int_equal(proc(&f, 100)->maps.failed, 1);
	assert_int_equal(count(&f, 100, 1)->failed, 2);
	assert_int_equal(count(&f, 100, 1)->failed_min, 500);
	assert_true(count(&f, 100, 1)->failed_max == UINT64_MAX);
	assert_true(count(&f, 100, 1)->min_size > count(&f, 100, 1)->max_size);
	heap_free(f.heap);
}

static void forked_child(void **state)
{
	struct feed f = start();
	uint64_t blocks, bytes;

	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		feed_alloc(&f, 0x1000 + i * 64, 10, 1);
	feed_proc(&f, 101, PROC_FORKED, 100, "/bin/prog");
	check_totals(&f, 5, 0, 50, 5, 50);
	feed_release(&f, 0x1000, 10, 1);
	feed_alloc(&f, 0x5000, 7, 2);
	check_totals(&f, 6, 1, 57, 5, 47);
	assert_int_equal(count(&f, 101, 1)->open_blocks, -1);
	assert_int_equal(count(&f, 101, 2)->open_blocks, 1);
	heap_inherited_open(f.heap, proc(&f, 101), &blocks, &bytes);
	assert_int_equal(blocks, 4);
	assert_int_equal(bytes, 40);
	/* The parent knows nothing of it. */
	f.pid = 100;
	check_totals(&f, 5, 0, 50, 5, 50);
	assert_int_equal(count(&f, 100, 1)->open_blocks, 5);
	heap_free(f.heap);
}

static void exec_makes_an_image(void **state)
{
	struct feed f = start();

	(void)state;
	feed_alloc(&f, 0x1000, 10, 1);
	feed_end(&f, END_EXECED, 0);
	feed_proc(&f, 100, PROC_EXECED, 0, "/bin/other");
	check_totals(&f, 0, 0, 0, 0, 0);
	feed_alloc(&f, 0x1000, 30, 1);
	/* Without an end being told. */
	feed_proc(&f, 100, PROC_EXECED, 0, "/bin/third");
	assert_int_equal(heap_nprocs(f.heap), 3);
	assert_int_equal(heap_proc_at(f.heap, 0)->end_how, END_EXECED);
	assert_int_equal(heap_proc_at(f.heap, 0)->total.open_bytes, 10);
	assert_int_equal(heap_proc_at(f.heap, 1)->end_how, END_EXECED);
	assert_int_equal(heap_proc_at(f.heap, 1)->total.open_bytes, 30);
	assert_string_equal(proc(&f, 100)->name, "third");
	assert_int_equal(proc(&f, 100)->end_how, END_RUNNING);
	/* What comes after the end is nobody's. */
	feed_end(&f, END_EXITED, 3);
	feed_alloc(&f, 0x9000, 30, 1);
	check_totals(&f, 0, 0, 0, 0, 0);
	assert_int_equal(proc(&f, 100)->status, 3);
	heap_free(f.heap);
}

static void mappings(void **state)
{
	struct feed f = start();
	const struct heap_mappings *m;

	(void)state;
	m = &proc(&f, 100)->maps;
	feed_map(&f, 0x100000, 0x10000, 3);
	feed_unmap(&f, 0x104000, 0x1000); /* splits */
	assert_int_equal(m->open_regions, 2);
	assert_int_equal(m->open_bytes, 0xf000);
	feed_unmap(&f, 0x900000, 0x1000); /* nobody's */
	assert_int_equal(m->unmaps, 1);
	/* MAP_FIXED over the hole and a page at each side. */
	feed_map(&f, 0x103000, 0x3000, 4);
	assert_int_equal(m->open_regions, 3);
	assert_int_equal(m->open_bytes, 0x10000);
	assert_int_equal(count(&f, 100, 3)->open_blocks, 2);
	assert_int_equal(count(&f, 100, 3)->open_bytes, 0xd000);
	assert_int_equal(count(&f, 100, 4)->open_bytes, 0x3000);
	/* An odd size takes its whole last page. */
	feed_map(&f, 0x200000, 100, 4);
	assert_int_equal(m->open_bytes, 0x11000);
	feed_unmap(&f, 0x200000, 100);
	assert_int_equal(m->open_bytes, 0x10000);
	/* mremap moves and grows. */
	FEED(&f, .type = EV_REMAP, .u.map = { .addr = 0x300000, .size = 0x6000, .stack = 3,
					      .old_addr = 0x103000, .old_size = 0x3000 });
	assert_int_equal(m->remaps, 1);
	assert_int_equal(m->open_bytes, 0x13000);
	assert_int_equal(count(&f, 100, 4)->open_bytes, 0);
	assert_int_equal(m->peak_bytes, 0x13000);
	assert_int_equal(m->maps, 3);
	assert_int_equal(m->bytes_mapped, 0x14000);
	/* None of it is heap. */
	check_totals(&f, 0, 0, 0, 0, 0);
	feed_proc(&f, 101, PROC_FORKED, 100, "/bin/prog");
	feed_unmap(&f, 0x300000, 0x6000);
	assert_int_equal(proc(&f, 101)->maps.open_bytes, 0xd000);
	assert_int_equal(proc(&f, 100)->maps.open_bytes, 0x13000);
	heap_free(f.heap);
}

static void program_break(void **state)
{
	struct feed f = start();
	const struct heap_mappings *m;

	(void)state;
	m = &proc(&f, 100)->maps;
	FEED(&f, .type = EV_BRK, .u.map = { .addr = 0x601000, .old_addr = 0 });
	FEED(&f, .type = EV_BRK, .u.map = { .addr = 0x605000, .old_addr = 0x601000 });
	FEED(&f, .type = EV_BRK, .u.map = { .addr = 0x602000, .old_addr = 0x605000 });
	assert_int_equal(m->brk_grown, 0x4000);
	assert_int_equal(m->brk_current, 0x1000);
	assert_int_equal(m->brk_calls, 3);
	heap_free(f.heap);
}

static void nonsense(void **state)
{
	struct feed f = start();

	(void)state;
	/* Stacks and probes nobody announced count under 0. */
	feed_alloc(&f, 0x1000, 5, 12345);
	feed_alloc(&f, 0x1000, 5, UINT32_MAX);
	assert_int_equal(count(&f, 100, 0)->open_blocks, 2);
	assert_null(heap_stack(f.heap, 12345));
	assert_null(heap_module(f.heap, 77));
	assert_null(heap_probe(f.heap, 77));
	/* More released than there was. */
	for (int i = 0; i < 5; i++)
		feed_release(&f, 0x1000, UINT64_MAX, 999);
	assert_int_equal(proc(&f, 100)->total.open_blocks, 0);
	assert_int_equal(proc(&f, 100)->total.open_bytes, 0);
	feed_alloc(&f, 0x1000, UINT64_MAX, 1);
	feed_alloc(&f, 0x1000, UINT64_MAX, 1);
	feed_map(&f, UINT64_MAX - 10, 4096, 3);
	feed_map(&f, 0x1000, UINT64_MAX, 3);
	feed_unmap(&f, 0, UINT64_MAX);
	FEED(&f, .type = EV_STACK, .u.stack = { .id = 50, .n = UINT32_MAX });
	assert_int_equal(heap_stack(f.heap, 50)->n, 0);
	FEED(&f, .type = EV_NOTE, .u.note = { .text = NULL });
	FEED(&f, .type = (enum event_type)999);
	FEED(&f, .type = EV_PROC, .u.proc = { .how = (enum proc_how)99 });
	/* A pid that nobody announced. */
	f.pid = 4242;
	feed_alloc(&f, 0x1000, 5, 1);
	feed_end(&f, END_EXITED, 0);
	assert_null(heap_proc_find(f.heap, 4242));
	heap_free(f.heap);
	heap_free(NULL);
}

/* In use, but neither allocated nor released since the attach. */
static void older_blocks(void **state)
{
	struct feed f = start();
	const struct heap_proc *p = proc(&f, 100);

	(void)state;
	assert_false(p->before_attach.known);
	FEED(&f, .type = EV_CENSUS); /* there are none */
	assert_true(p->before_attach.known);
	feed_census(&f, 7, P_MALLOC, 10, 24, 0, 0);
	feed_census(&f, 8, P_MALLOC, 2, 24, 0x400100, 1);
	check_totals(&f, 0, 0, 0, 12, 288);
	assert_int_equal(p->before_attach.blocks, 12);
	assert_int_equal(p->before_attach.bytes, 288);
	assert_int_equal(p->total.peak_bytes, 288);
	assert_int_equal(count(&f, 100, 7)->open_blocks, 10);
	assert_int_equal(count(&f, 100, 8)->total_blocks, 2);
	assert_int_equal(heap_stack(f.heap, 8)->word, 0x400100);

	feed_release(&f, 0x1000, 24, 7);
	check_totals(&f, 0, 0, 0, 11, 264);
	assert_int_equal(p->before_attach.released, 1);
	FEED(&f, .type = EV_RELEASE_UNDO, .u.release = { .addr = 0x1000, .size = 24, .stack = 7 });
	check_totals(&f, 0, 0, 0, 12, 288);
	assert_int_equal(p->before_attach.released, 0);
	assert_int_equal(p->before_attach.released_bytes, 0);

	feed_realloc(&f, 0x1000, 24, 7, 0x5000, 100, 2, false);
	check_totals(&f, 1, 0, 100, 12, 364);
	assert_int_equal(p->before_attach.released, 1);
	assert_int_equal(p->before_attach.released_bytes, 24);

	/* A child has them too, and releases its own copies. */
	feed_proc(&f, 101, PROC_FORKED, 100, "/bin/prog");
	feed_release(&f, 0x2000, 24, 8);
	check_totals(&f, 1, 0, 100, 11, 340);
	assert_int_equal(proc(&f, 101)->before_attach.released, 2);
	assert_int_equal(count(&f, 101, 8)->open_blocks, -1);
	assert_int_equal(p->before_attach.released, 1);
	heap_free(f.heap);
}

static void cost(void **state)
{
	struct feed f = start();
	struct event_sink *sink = heap_sink(f.heap);
	struct event a = { .type = EV_ALLOC, .pid = 100, .u.alloc = { 0x1000, 80, 1, 0, { 0 } } };
	struct event r = { .type = EV_RELEASE, .pid = 100,
			   .u.release = { .addr = 0x1000, .size = 80, .stack = 1 } };
	struct timespec t0, t1;
	const int n = 1000000;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (int i = 0; i < n; i++) {
		sink->emit(sink, &a);
		sink->emit(sink, &r);
	}
	clock_gettime(CLOCK_MONOTONIC, &t1);
	print_message("heap: %.0f ns an event, %zu bytes of memory\n",
		      ((double)(t1.tv_sec - t0.tv_sec) * 1e9 +
		       (double)(t1.tv_nsec - t0.tv_nsec)) / n / 2,
		      heap_memory(f.heap));
	check_totals(&f, n, n, (uint64_t)n * 80, 0, 0);
	heap_free(f.heap);
}

/* -- memory that ran out ----------------------------------------------------- */

static void make_stacks(struct feed *f, uint32_t from, uint32_t n)
{
	const uint32_t module[] = { 1 };

	for (uint32_t i = from; i < from + n; i++) {
		const taddr_t pc[] = { 0x400000 + i };

		feed_stack_end(f, i, P_MALLOC, STACK_COMPLETE, 1, pc, module);
	}
}

static void oom(struct feed *f, enum oom_cause cause, uint64_t limit, uint64_t used)
{
	FEED(f, .type = EV_OOM, .u.oom = { (uint8_t)cause, limit, used });
}

/* The last one, with those who held most then: what came later is not looked at. */
static void refused_last(void **state)
{
	const uint64_t sizes[] = { 30, 70, 10, 60, 50, 20, 40 };
	const struct heap_refused *r;
	struct feed f = start();

	(void)state;
	make_stacks(&f, 10, 7);
	assert_false(proc(&f, 100)->refused.any);
	for (uint32_t i = 0; i < 7; i++)
		feed_alloc(&f, 0x1000 * (i + 1), sizes[i], 10 + i);
	feed_failed(&f, 5, 1);
	oom(&f, OOM_DATA, 500, 400);
	f.now += 7 * MS;
	FEED(&f, .type = EV_FAILED,
	     .u.alloc = { .size = 600, .stack = 12, .product = { 1, 20, 30 } });
	oom(&f, OOM_ADDRESS_SPACE, 1000, 900);
	feed_alloc(&f, 0x9000, 1000, 12);
	feed_failed(&f, 77, 3); /* a mapping is none of the heap's */
	r = &proc(&f, 100)->refused;
	assert_true(r->any);
	assert_int_equal(r->stack, 12);
	assert_int_equal(r->size, 600);
	assert_int_equal(r->ns, f.now);
	assert_true(r->product.is_one && r->product.count == 20 && r->product.each == 30);
	assert_int_equal(r->open_blocks, 7);
	assert_int_equal(r->open_bytes, 280);
	assert_int_equal(r->oom.cause, OOM_ADDRESS_SPACE);
	assert_int_equal(r->oom.limit, 1000);
	assert_int_equal(r->oom.used, 900);
	assert_int_equal(r->owners, 5);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(r->owner[i].bytes, 70 - 10 * i);
	assert_int_equal(r->owner[0].stack, 11);
	assert_int_equal(r->owner[4].stack, 10);
	FEED(&f, .type = EV_RESET);
	assert_false(proc(&f, 100)->refused.any);
	heap_free(f.heap);
}

/* With many callers not every refusal looks at all of them; after a few the list is
 * up to date again. */
static void refused_often(void **state)
{
	struct feed f = start();
	unsigned looked = 0;

	(void)state;
	make_stacks(&f, 10, 10000);
	for (uint32_t i = 0; i < 10000; i++)
		feed_alloc(&f, 0x1000 * (i + 1), 10, 10 + i);
	feed_failed(&f, 5, 1);
	for (uint64_t i = 1; i <= 50; i++) {
		feed_alloc(&f, 0x10000000 + i, 1000 * i, 4711);
		feed_failed(&f, 5, 1);
		looked += proc(&f, 100)->refused.owner[0].bytes == 500 * i * (i + 1) + 10;
		assert_int_equal(proc(&f, 100)->refused.open_bytes, 100000 + 500 * i * (i + 1));
	}
	assert_true(looked >= 5 && looked <= 10);
	heap_free(f.heap);
}

static void killed(void **state)
{
	struct feed f = start();

	(void)state;
	oom(&f, OOM_CGROUP, 4096, 2);
	feed_end(&f, END_SIGNALED, 9);
	assert_int_equal(proc(&f, 100)->killed.cause, OOM_CGROUP);
	assert_int_equal(proc(&f, 100)->killed.used, 2);
	assert_false(proc(&f, 100)->refused.any);
	heap_free(f.heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alloc_and_release), cmocka_unit_test(products), cmocka_unit_test(release_of_no_block),
		cmocka_unit_test(release_undone),    cmocka_unit_test(realloc_rules),
		cmocka_unit_test(refused),           cmocka_unit_test(forked_child),
		cmocka_unit_test(exec_makes_an_image), cmocka_unit_test(mappings),
		cmocka_unit_test(program_break),     cmocka_unit_test(nonsense),
		cmocka_unit_test(older_blocks),
		cmocka_unit_test(refused_last),      cmocka_unit_test(refused_often),
		cmocka_unit_test(killed),
		cmocka_unit_test(cost),
		cmocka_unit_test(marks),             cmocka_unit_test(marks_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
