/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From edges and root hits to classes, in the three steps of memcheck: what a
 * chain of pointers to starts of blocks leads to is reachable; what else any
 * pointer leads to is possibly lost; of the rest, in order of address, each
 * block that no other lost block holds is definitely lost, and what hangs on
 * it indirectly. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "reach-internal.h"

/* -- pointers that are as good as one to the start --------------------------------
 *
 * Valgrind's manual, --leak-check-heuristics:
 *   length64   the block begins with 64 bits that hold the size of the rest,
 *              and the pointer is right behind them
 *   newarray   … a word with the number of elements, which divides the rest; on 32-bit
 *              ARM a word with the size of one before it (C++ ABI for the Arm
 *              Architecture, 3.2.2)
 *   stdstring  length, capacity, reference count; the pointer is to the bytes
 *   multipleinheritance   a vtable's address at the start and another one where
 *              the pointer points to */

static bool read_word(struct reach *r, taddr_t at, unsigned size, uint64_t *out)
{
	uint32_t narrow;

	if (!r->opts.read)
		return false;
	if (size == 8)
		return r->opts.read(r->opts.arg, at, out, 8) == 8;
	if (r->opts.read(r->opts.arg, at, &narrow, 4) != 4)
		return false;
	*out = narrow;
	return true;
}

static bool is_std_string(struct reach *r, taddr_t start, uint64_t size)
{
	unsigned word = r->opts.word;
	uint64_t length, capacity;

	return read_word(r, start, word, &length) && read_word(r, start + word, word, &capacity) &&
	       length <= capacity && capacity < size && 3 * word + capacity + 1 == size;
}

static bool is_length64(struct reach *r, taddr_t start, uint64_t size)
{
	uint64_t length;

	return size > 8 && read_word(r, start, 8, &length) && length == size - 8;
}

static bool is_new_array(struct reach *r, taddr_t start, uint64_t size)
{
	unsigned word = r->opts.word;
	uint64_t count;

	return size >= word && read_word(r, start, word, &count) && count &&
	       (size - word) % count == 0;
}

/* Of any machine of 32 bits: both words must fit. */
static bool is_new_array_of_arm(struct reach *r, taddr_t start, uint64_t size)
{
	uint64_t each, count;

	return size >= 8 && read_word(r, start, 4, &each) && read_word(r, start + 4, 4, &count) &&
	       count && each * count == size - 8;
}

static bool may_be_vtable(const struct reach *r, uint64_t v)
{
	return v >= 4096 && v % r->opts.word == 0;
}

static bool is_second_base(struct reach *r, taddr_t start, uint64_t offset)
{
	unsigned word = r->opts.word;
	uint64_t first, inner;

	return r->opts.is_vtable && (start + offset) % word == 0 &&
	       read_word(r, start, word, &first) && may_be_vtable(r, first) &&
	       read_word(r, start + offset, word, &inner) && may_be_vtable(r, inner) &&
	       first != inner && r->opts.is_vtable(r->opts.arg, inner) &&
	       r->opts.is_vtable(r->opts.arg, first);
}

static bool as_good_as_start(struct reach *r, uint32_t i, uint32_t offset)
{
	uint64_t size = block_size(r, i);
	taddr_t start = r->block[i].addr;

	return (offset == 3 * r->opts.word && is_std_string(r, start, size)) ||
	       (offset == 8 && is_length64(r, start, size)) ||
	       (offset == r->opts.word && is_new_array(r, start, size)) ||
	       (offset == 8 && r->opts.word == 4 && is_new_array_of_arm(r, start, size)) ||
	       (offset != UINT32_MAX && is_second_base(r, start, offset));
}

/* -- reachable, possibly lost ------------------------------------------------------ */

struct marking {
	struct reach *r;
	uint32_t *queue;
	size_t n; /* in the queue */
};

static void mark(struct marking *m, uint32_t i, enum mark as)
{
	m->r->mark[i] = (uint8_t)as;
	m->queue[m->n++] = i;
}

/* A pointer in a reachable block, or a root. */
static inline void from_definite(struct marking *m, const struct edge *e)
{
	uint8_t *is = &m->r->mark[e->target];

	if (*is == REACHABLE)
		return;
	if (!e->interior || as_good_as_start(m->r, e->target, e->offset))
		mark(m, e->target, REACHABLE);
	else
		*is = POSSIBLE;
}

static void mark_reachable(struct marking *m)
{
	struct reach *r = m->r;
	struct edge_walk it;
	struct edge e;

	for (uint32_t i = 0; i < r->n; i++) /* by roots that point to starts */
		if (r->mark[i] == REACHABLE)
			m->queue[m->n++] = i;
	for (size_t k = 0; k < r->roots.n; k++) {
		const struct root_hit *h = &r->roots.v[k];

		from_definite(m, &(struct edge){ h->target, h->offset, h->offset != 0, 0 });
	}
	while (m->n)
		for (reach_edges(r, m->queue[--m->n], &it); reach_next(&it, &e);)
			from_definite(m, &e);
}

static void mark_possible(struct marking *m)
{
	struct reach *r = m->r;
	struct edge_walk it;
	struct edge e;

	for (uint32_t i = 0; i < r->n; i++)
		if (r->mark[i] == POSSIBLE)
			m->queue[m->n++] = i;
	while (m->n)
		for (reach_edges(r, m->queue[--m->n], &it); reach_next(&it, &e);)
			if (r->mark[e.target] == UNREACHED)
				mark(m, e.target, POSSIBLE);
}

/* -- lost ------------------------------------------------------------------------------ */

static uint32_t find_leader(struct reach *r, uint32_t i)
{
	while (r->leader[i] != i) {
		r->leader[i] = r->leader[r->leader[i]];
		i = r->leader[i];
	}
	return i;
}

/* What an earlier leader holds, it brings along: it need not be followed
 * again, and is not, because all of it is marked. */
static void mark_clique(struct marking *m, uint32_t leader)
{
	struct reach *r = m->r;
	struct edge_walk it;
	struct edge e;

	m->queue[m->n++] = leader;
	while (m->n)
		for (reach_edges(r, m->queue[--m->n], &it); reach_next(&it, &e);) {
			if (r->mark[e.target] != UNREACHED || e.target == leader)
				continue;
			r->leader[e.target] = leader;
			mark(m, e.target, INDIRECT);
		}
}

static void mark_lost(struct marking *m)
{
	for (uint32_t i = 0; i < m->r->n; i++)
		if (m->r->mark[i] == UNREACHED)
			mark_clique(m, i);
}

void reach_solve(struct reach *r)
{
	struct marking m = { .r = r };

	if (r->leader)
		return;
	reach_finish(r);
	r->leader = xmalloc((r->n + 1) * sizeof *r->leader);
	for (uint32_t i = 0; i < r->n; i++)
		r->leader[i] = i;
	if (r->opts.references)
		return;
	m.queue = xmalloc((r->n + 1) * sizeof *m.queue);
	reach_note_memory(r, r->n * sizeof *m.queue);
	mark_reachable(&m);
	mark_possible(&m);
	mark_lost(&m);
	free(m.queue);
}

enum leak_kind reach_kind(struct reach *r, uint32_t i, uint32_t *leader)
{
	static const enum leak_kind kinds[] = { [UNREACHED] = LEAK_DEFINITE,
						[INDIRECT] = LEAK_INDIRECT,
						[POSSIBLE] = LEAK_POSSIBLE,
						[REACHABLE] = LEAK_REACHABLE };

	*leader = r->mark[i] == INDIRECT ? find_leader(r, i) : i;
	return kinds[r->mark[i]];
}

void reach_each(struct reach *r, void (*fn)(void *, uint32_t, enum leak_kind, uint32_t), void *arg)
{
	for (uint32_t i = 0; i < r->n; i++) {
		uint32_t leader;
		enum leak_kind kind = reach_kind(r, i, &leader);

		fn(arg, i, kind, leader);
	}
}

/* -- the way to a block ------------------------------------------------------------------ */

/* In parent[]: the root hit of that number. */
#define BY_ROOT 0x80000000u

struct walk {
	struct reach *r;
	uint32_t *queue;
	size_t tail;
};

static void visit(struct walk *w, uint32_t i, uint32_t parent)
{
	if (w->r->parent[i] != REACH_NONE)
		return;
	w->r->parent[i] = parent;
	w->queue[w->tail++] = i;
}

/* Breadth first, so that the way that is found is the shortest. */
static void find_parents(struct reach *r)
{
	struct walk w = { .r = r };
	struct edge_walk it;
	struct edge e;

	r->parent = xmalloc((r->n + 1) * sizeof *r->parent);
	memset(r->parent, 0xff, (r->n + 1) * sizeof *r->parent);
	w.queue = xmalloc((r->n + 1) * sizeof *w.queue);
	for (size_t k = 0; k < r->roots.n; k++)
		visit(&w, r->roots.v[k].target, BY_ROOT | (uint32_t)k);
	for (size_t head = 0; head < w.tail; head++)
		for (reach_edges(r, w.queue[head], &it); reach_next(&it, &e);)
			visit(&w, e.target, w.queue[head]);
	free(w.queue);
}

/* Where a block points to another one: to its start, or else the first pointer
 * into it. */
static void locate(struct reach *r, uint32_t from, uint32_t target, struct reach_link *link)
{
	bool found = false;

	reach_load(r, from);
	for (size_t i = 0; i < r->loaded.n; i++) {
		const struct edge *e = &r->loaded.v[i];

		if (e->target != target || (found && e->interior))
			continue;
		link->at = e->at - r->block[from].addr;
		link->offset = e->offset;
		found = true;
		if (!e->interior)
			return;
	}
}

static void fill_link(struct reach *r, uint32_t i, struct reach_link *link)
{
	uint32_t parent = r->parent[i];

	*link = (struct reach_link){ .block = i, .from = REACH_NONE };
	if (parent & BY_ROOT) {
		const struct root_hit *h = &r->roots.v[parent & ~BY_ROOT];

		link->offset = h->offset;
		link->root = (struct reach_root){ (enum root_kind)h->kind, h->at };
		return;
	}
	link->from = parent;
	locate(r, parent, i, link);
}

size_t reach_why(struct reach *r, uint32_t i, struct reach_link *links, size_t max)
{
	size_t length = 0, at;

	if (!r->parent)
		find_parents(r);
	if (r->parent[i] == REACH_NONE)
		return 0;
	for (uint32_t k = i; ; k = r->parent[k]) {
		length++;
		if (r->parent[k] & BY_ROOT)
			break;
	}
	at = length;
	for (uint32_t k = i; at--; k = r->parent[k]) {
		/* The first max/2 of the way, and its last ones. */
		if (length <= max || at < max / 2)
			fill_link(r, k, &links[at]);
		else if (at >= length - (max - max / 2))
			fill_link(r, k, &links[at - (length - max)]);
	}
	return length;
}
