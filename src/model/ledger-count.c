/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks: what an allocation, a release, a realloc and a refusal count. */
#include "ledger-internal.h"

struct heap_count *count_of(struct ledger *l, struct heap_proc *p, uint32_t stack)
{
	uint64_t *at = u64map_get(&p->by_stack, stack);

	if (!at && stack && !ledger_knows(l, stack)) {
		stack = 0;
		at = u64map_get(&p->by_stack, stack);
	}
	if (at)
		return &p->counts.v[*at];
	u64map_set(&p->by_stack, stack, p->counts.n);
	vec_push(&p->counts, (struct heap_count){ .stack = stack, .min_size = UINT64_MAX,
						  .older = ledger_older(l, stack) != NULL });
	return &p->counts.v[p->counts.n - 1];
}

/* Differences wrap rather than overflow when the events are nonsense. */
static void change_open(struct heap_count *c, int blocks, uint64_t bytes)
{
	c->open_blocks += blocks;
	c->open_bytes = (int64_t)((uint64_t)c->open_bytes + bytes);
}

void note_peak(struct heap_totals *t, uint64_t now)
{
	if (t->open_bytes <= t->peak_bytes)
		return;
	t->peak_bytes = t->open_bytes;
	t->peak_blocks = t->open_blocks;
	t->peak_ns = now;
}

void heap_product_add(struct heap_product *p, const struct heap_product *by)
{
	if (!by->any)
		return;
	if (!p->any)
		*p = *by;
	p->min_count = MIN(p->min_count, by->min_count);
	p->max_count = MAX(p->max_count, by->max_count);
	p->min_each = MIN(p->min_each, by->min_each);
	p->max_each = MAX(p->max_each, by->max_each);
}

void heap_product_widen(struct heap_product *p, const struct product *one)
{
	heap_product_add(p, &(struct heap_product){ one->is_one, one->count, one->count, one->each,
						    one->each });
}

static void open_block(struct ledger *l, struct heap_proc *p, uint32_t stack, uint64_t size,
		       const struct product *product, uint64_t now)
{
	struct heap_count *c = count_of(l, p, stack);
	struct heap_totals *t = &p->total;

	change_open(c, 1, size);
	c->total_blocks++;
	c->total_bytes += size;
	c->min_size = MIN(c->min_size, size);
	c->max_size = MAX(c->max_size, size);
	heap_product_widen(&c->product, product);
	c->last_ns = now;
	t->allocs++;
	t->bytes_allocated += size;
	t->open_blocks++;
	t->open_bytes += size;
	note_peak(t, now);
}

static void close_block(struct ledger *l, struct heap_proc *p, uint32_t stack, uint64_t size)
{
	struct heap_count *c = count_of(l, p, stack);
	struct heap_totals *t = &p->total;

	change_open(c, -1, -size);
	if (c->older)
		census_released(p, size);
	else
		t->frees++;
	t->open_blocks -= MIN(t->open_blocks, 1u);
	t->open_bytes -= MIN(t->open_bytes, size);
}

/* The same by mark; blocks that are older than the first one have none. */
static void change_marked(struct ledger *l, struct heap_proc *p, uint32_t stack, uint32_t mark,
			  int blocks, uint64_t bytes)
{
	if (mark)
		marks_count(p, count_of(l, p, stack)->stack, mark, blocks, bytes);
}

void count_alloc(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	open_block(l, p, ev->u.alloc.stack, ev->u.alloc.size, &ev->u.alloc.product, ev->time_ns);
	change_marked(l, p, ev->u.alloc.stack, ev->u.alloc.mark, 1, ev->u.alloc.size);
}

/* Counts releases of what is no block; NULL: it is one. */
static uint64_t *no_block(struct heap_proc *p, const struct event *ev)
{
	if (ev->u.release.known == RELEASE_KNOWN || ev->u.release.known == RELEASE_UNSEEN)
		return NULL;
	return ev->u.release.known == RELEASE_SHUTDOWN ? &p->total.shutdown_releases :
	       ev->u.release.known == RELEASE_NULL     ? &p->total.null_releases
						       : &p->total.unknown_releases;
}

/* -S: who releases. */
static void count_releaser(struct ledger *l, struct heap_proc *p, const struct event *ev, int n)
{
	struct heap_count *c = count_of(l, p, ev->u.release.at);

	c->total_blocks += (uint64_t)n;
	c->total_bytes += (uint64_t)n * ev->u.release.size;
	c->last_ns = ev->time_ns;
}

void count_release(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	uint64_t *unknown = no_block(p, ev);

	if (unknown) {
		++*unknown;
		if (ev->u.release.known == RELEASE_UNKNOWN && !error_was_told(p, ev))
			error_suspect(&p->unknown, ev->u.release.at, ev->u.release.allocator, 1);
		p->told.tid = 0;
		return;
	}
	close_block(l, p, ev->u.release.stack, ev->u.release.size);
	change_marked(l, p, ev->u.release.stack, ev->u.release.mark, -1, -ev->u.release.size);
	if (ev->u.release.at)
		count_releaser(l, p, ev, 1);
	if (ev->u.release.known == RELEASE_UNSEEN) {
		p->total.unseen_releases++;
		error_suspect(&p->unseen, ev->u.release.stack, ev->u.release.allocator, 1);
	}
}

/* The event repeats what the release said.  The block is open again as if
 * nothing had been: neither an allocation nor a new high-water mark. */
void count_undo(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	uint64_t *unknown = no_block(p, ev);
	struct heap_totals *t = &p->total;
	struct heap_count *c;

	if (unknown) {
		*unknown -= MIN(*unknown, 1u);
		error_suspect(&p->unknown, ev->u.release.at, 0, -1);
		return;
	}
	change_marked(l, p, ev->u.release.stack, ev->u.release.mark, 1, ev->u.release.size);
	if (ev->u.release.at)
		count_releaser(l, p, ev, -1);
	c = count_of(l, p, ev->u.release.stack);
	change_open(c, 1, ev->u.release.size);
	if (c->older)
		census_undo(p, ev->u.release.size);
	else
		t->frees -= MIN(t->frees, 1u);
	t->open_blocks++;
	t->open_bytes += ev->u.release.size;
}

void count_realloc(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	bool known = ev->u.realloc.old_stack || ev->u.realloc.old_size;

	if (ev->u.realloc.failed) {
		count_failed(l, p, &(struct event){ .time_ns = ev->time_ns,
						    .u.alloc.size = ev->u.realloc.size,
						    .u.alloc.stack = ev->u.realloc.stack,
						    .u.alloc.product = ev->u.realloc.product });
		return;
	}
	if (known) {
		close_block(l, p, ev->u.realloc.old_stack, ev->u.realloc.old_size);
		change_marked(l, p, ev->u.realloc.old_stack, ev->u.realloc.old_mark, -1,
			      -ev->u.realloc.old_size);
	} else if (ev->u.realloc.old_addr) {
		p->total.unknown_releases++;
	}
	if (ev->u.realloc.addr) {
		open_block(l, p, ev->u.realloc.stack, ev->u.realloc.size, &ev->u.realloc.product,
			   ev->time_ns);
		change_marked(l, p, ev->u.realloc.stack, ev->u.realloc.mark, 1, ev->u.realloc.size);
	}
}

void count_failed(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	struct heap_count *c = count_of(l, p, ev->u.alloc.stack);
	uint64_t size = ev->u.alloc.size;

	c->failed_min = c->failed ? MIN(c->failed_min, size) : size;
	c->failed_max = MAX(c->failed_max, size);
	heap_product_widen(&c->failed_product, &ev->u.alloc.product);
	c->failed++;
	if (ledger_stack_maps(l, c->stack)) {
		p->maps.failed++;
		return;
	}
	p->total.failed++;
	refused_note(l, p, ev);
}
