/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pass over memory: sorted blocks, the index into them, edges and roots. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/xalloc.h"
#include "reach-internal.h"

/* Blocks further apart than this are in different clusters, at first. */
#define CLUSTER_GAP ((uint64_t)256 << 20)
/* Words looked at together, so that memory for the next ones is on its way. */
#define BATCH 256
/* Of the 80 bytes a block; the rest of it is arrays and the index. */
#define BYTES_PER_BLOCK 80
#define MIN_EDGES ((size_t)4 << 20) /* bytes */
#define MAX_VARINT 10
#define MAX_ROOTS ((size_t)16 << 20)

/* -- the sorted blocks -------------------------------------------------------- */

struct gather {
	struct open_block *v;
	size_t n;
};

static int gather_one(void *arg, const struct open_block *b)
{
	struct gather *g = arg;

	g->v[g->n++] = *b;
	return 0;
}

#define RADIX_BITS 11
#define RADIX (1u << RADIX_BITS)

/* Blocks come in the order of a hash: sorted by address, least significant
 * digits first.  Digits that are the same everywhere cost one look. */
static void radix_sort(struct open_block **v, size_t n)
{
	struct open_block *from = *v, *to = xmalloc(n * sizeof *to);
	size_t *count = xmalloc(RADIX * sizeof *count);

	for (unsigned shift = 0; shift < 64; shift += RADIX_BITS) {
		size_t sum = 0;

		memset(count, 0, RADIX * sizeof *count);
		for (size_t i = 0; i < n; i++)
			count[from[i].addr >> shift & (RADIX - 1)]++;
		if (n && count[from[0].addr >> shift & (RADIX - 1)] == n)
			continue;
		for (unsigned d = 0; d < RADIX; d++) {
			size_t c = count[d];

			count[d] = sum;
			sum += c;
		}
		for (size_t i = 0; i < n; i++)
			to[count[from[i].addr >> shift & (RADIX - 1)]++] = from[i];
		*v = to;
		to = from;
		from = *v;
	}
	free(to);
	free(count);
}

static void take_sorted(struct reach *r, const struct open_block *v)
{
	for (uint32_t i = 0; i < r->n; i++) {
		r->block[i].addr = v[i].addr;
		r->block[i].stack = v[i].stack;
		r->block[i].size = v[i].size < HUGE_SIZE ? (uint32_t)v[i].size : HUGE_SIZE;
		if (r->block[i].size == HUGE_SIZE)
			u64map_set(&r->huge, i, v[i].size);
		if (i && v[i].addr - v[i - 1].addr < v[i - 1].size)
			r->nested = true;
	}
}

/* -- the index ------------------------------------------------------------------ */

/* First and last block of each cluster; how many there are, or MAX_CLUSTERS + 1. */
static unsigned split(const struct reach *r, uint64_t gap, uint32_t *first)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		if (i && r->block[i].addr - MIN(block_end(r, i - 1), r->block[i].addr) < gap)
			continue;
		if (n == MAX_CLUSTERS)
			return n + 1;
		first[n++] = i;
	}
	return n;
}

/* The index is as long as the cluster's extent wants it; the pages of it that
 * nobody needs are never there. */
static void index_cluster(struct reach *r, struct cluster *c, uint32_t first, uint32_t end)
{
	size_t g = 0;
	void *p;

	c->lo = r->block[first].addr;
	c->hi = block_end(r, end - 1);
	c->ngranules = (size_t)((c->hi - 1 - c->lo) >> GRANULE_SHIFT) + 1;
	p = mmap(NULL, c->ngranules * sizeof *c->granule, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		c->ngranules = 0;
		c->hi = c->lo; /* nothing is found here */
		return;
	}
	c->granule = p;
	for (uint32_t i = first; i < end; i++) {
		size_t last = (size_t)((block_end(r, i) - 1 - c->lo) >> GRANULE_SHIFT);

		while (g <= last)
			c->granule[g++] = i;
	}
}

static void build_index(struct reach *r)
{
	uint32_t first[MAX_CLUSTERS];
	uint64_t gap = CLUSTER_GAP;
	unsigned n;

	while ((n = split(r, gap, first)) > MAX_CLUSTERS)
		gap *= 16;
	for (unsigned k = 0; k < n; k++)
		index_cluster(r, &r->cluster[k], first[k], k + 1 < n ? first[k + 1] : r->n);
	r->nclusters = n;
}

static size_t index_memory(const struct reach *r)
{
	size_t sum = 0;

	for (unsigned k = 0; k < r->nclusters; k++)
		sum += r->cluster[k].ngranules * sizeof *r->cluster[k].granule;
	return sum;
}

static const struct cluster *cluster_of(const struct reach *r, uint64_t v)
{
	for (unsigned k = 0; k < r->nclusters; k++)
		if (v - r->cluster[k].lo < r->cluster[k].hi - r->cluster[k].lo)
			return &r->cluster[k];
	return NULL;
}

/* The block that covers v, which is in cluster c; REACH_NONE: it is between
 * blocks. */
static uint32_t find_from(const struct reach *r, uint32_t i, uint64_t v)
{
	while (block_end(r, i) <= v)
		i++;
	return r->block[i].addr <= v ? i : REACH_NONE;
}

uint32_t reach_find(const struct reach *r, taddr_t v)
{
	const struct cluster *c = cluster_of(r, v);

	return c ? find_from(r, c->granule[(v - c->lo) >> GRANULE_SHIFT], v) : REACH_NONE;
}

static size_t memory_now(const struct reach *r)
{
	size_t sum = sizeof *r + r->n * sizeof *r->block;

	sum += r->mark ? r->n * (sizeof *r->mark + sizeof *r->edge_start) : 0;
	sum += r->leader ? r->n * sizeof *r->leader : 0;
	sum += r->parent ? r->n * sizeof *r->parent : 0;
	for (unsigned k = 0; k < r->nclusters; k++)
		sum += r->seen_bytes[k];
	sum += r->edges.cap + r->roots.cap * sizeof *r->roots.v;
	return sum + index_memory(r);
}

size_t reach_memory(const struct reach *r)
{
	return MAX(memory_now(r), r->peak);
}

void reach_note_memory(struct reach *r, size_t more)
{
	r->peak = MAX(r->peak, memory_now(r) + more);
}

/* Finer than blocks are aligned, whoever allocates them. */
#define SEEN_UNIT 4

static void make_seen(struct reach *r)
{
	for (unsigned k = 0; k < r->nclusters; k++) {
		size_t bytes = (size_t)((r->cluster[k].hi - r->cluster[k].lo) / SEEN_UNIT / 8 + 1);
		void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED) {
			r->cluster[k].hi = r->cluster[k].lo;
			continue;
		}
		r->seen[k] = p;
		r->seen_bytes[k] = bytes;
	}
}

/* Was the address of this block anywhere? */
static bool is_seen(const struct reach *r, uint32_t i)
{
	const struct cluster *c = cluster_of(r, r->block[i].addr);
	uint64_t bit;

	if (!c)
		return false;
	bit = (r->block[i].addr - c->lo) / SEEN_UNIT;
	return r->seen[c - r->cluster][bit / 8] >> bit % 8 & 1;
}

/* -- making and freeing ------------------------------------------------------------ */

struct reach *reach_new(const struct openset *open, const struct reach_opts *opts)
{
	size_t n = openset_count(open), used;
	struct gather g = { NULL, 0 };
	struct reach *r;

	if (n >= UINT32_MAX / 2)
		return NULL;
	r = xcalloc(1, sizeof *r);
	r->opts = *opts;
	if (!r->opts.mask)
		r->opts.mask = UINT64_MAX;
	r->n = (uint32_t)n;
	g.v = xmalloc((n + 1) * sizeof *g.v);
	openset_each(open, gather_one, &g);
	radix_sort(&g.v, n);
	r->block = xmalloc((n + 1) * sizeof *r->block);
	take_sorted(r, g.v);
	reach_note_memory(r, n * sizeof *g.v);
	free(g.v);
	r->mark = xcalloc(n + 1, 1);
	r->edge_start = xmalloc((n + 2) * sizeof *r->edge_start);
	r->edge_start[0] = 0;
	build_index(r);
	if (opts->references)
		make_seen(r);
	/* What is still to come: leaders and a queue of four bytes each. */
	used = memory_now(r) + 8 * n;
	r->max_edges = MIN_EDGES;
	if (n * BYTES_PER_BLOCK > used)
		r->max_edges = MAX(r->max_edges, n * BYTES_PER_BLOCK - used);
	r->max_edges = MIN(r->max_edges, (size_t)UINT32_MAX - 2 * MAX_VARINT);
	r->kept = r->n;
	return r;
}

void reach_free(struct reach *r)
{
	if (!r)
		return;
	for (unsigned k = 0; k < r->nclusters; k++)
		if (r->cluster[k].granule)
			munmap(r->cluster[k].granule,
			       r->cluster[k].ngranules * sizeof *r->cluster[k].granule);
	for (unsigned k = 0; k < r->nclusters; k++)
		if (r->seen[k])
			munmap(r->seen[k], r->seen_bytes[k]);
	free(r->block);
	free(r->mark);
	u64map_release(&r->huge);
	free(r->edge_start);
	vec_release(&r->edges);
	vec_release(&r->roots);
	vec_release(&r->loaded);
	free(r->leader);
	free(r->parent);
	free(r);
}

size_t reach_count(const struct reach *r)
{
	return r->n;
}

struct open_block reach_block(const struct reach *r, uint32_t i)
{
	return (struct open_block){ .addr = r->block[i].addr, .size = block_size(r, i),
				    .stack = r->block[i].stack };
}

void reach_around(const struct reach *r, taddr_t addr, taddr_t *end, taddr_t *start)
{
	uint32_t lo = 0, hi = r->n; /* the first block that begins above addr */

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (r->block[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	*end = lo ? block_end(r, lo - 1) : 0;
	*start = lo < r->n ? r->block[lo].addr : UINT64_MAX;
}

/* -- words that may be pointers ------------------------------------------------------ */

/* A branch for each word would be guessed wrong too often: every index is
 * written, and the next one over it unless its word was a candidate. */
#define FILTER(name, type)                                                                    \
	static size_t name(const struct reach *r, const type *w, size_t n, uint16_t *out)      \
	{                                                                                     \
		const struct cluster *a = &r->cluster[0], *b = &r->cluster[r->nclusters > 1]; \
		uint64_t alo = a->lo, aspan = a->hi - a->lo, blo = b->lo, bspan = b->hi - b->lo; \
		type mask = (type)r->opts.mask;                                               \
		size_t k = 0;                                                                 \
                                                                                              \
		for (size_t i = 0; i < n; i++) {                                              \
			out[k] = (uint16_t)i;                                                 \
			k += ((w[i] & mask) - alo < aspan) | ((w[i] & mask) - blo < bspan);   \
		}                                                                             \
		return k;                                                                     \
	}                                                                                     \
	static size_t name##_many(const struct reach *r, const type *w, size_t n, uint16_t *out) \
	{                                                                                     \
		size_t k = 0;                                                                 \
                                                                                              \
		for (size_t i = 0; i < n; i++)                                                \
			if (cluster_of(r, w[i] & r->opts.mask))                               \
				out[k++] = (uint16_t)i;                                       \
		return k;                                                                     \
	}

FILTER(filter64, uint64_t)
FILTER(filter32, uint32_t)

/* Words that may be pointers, by their index: n of them in p, at most. */
static size_t filter(const struct reach *r, const void *p, size_t n, uint16_t *out)
{
	if (r->opts.word == 8)
		return r->nclusters > 2 ? filter64_many(r, p, n, out) : filter64(r, p, n, out);
	return r->nclusters > 2 ? filter32_many(r, p, n, out) : filter32(r, p, n, out);
}

static uint64_t word_at(const struct reach *r, const void *p, size_t i)
{
	return (r->opts.word == 8 ? ((const uint64_t *)p)[i] : ((const uint32_t *)p)[i]) &
	       r->opts.mask;
}

/* -- what they point to ------------------------------------------------------------------ */

static uint32_t short_offset(uint64_t offset)
{
	return (uint32_t)MIN(offset, UINT32_MAX);
}

static void add_root(struct reach *r, enum root_kind kind, taddr_t at, uint32_t target,
		     uint64_t offset)
{
	struct root_hit hit = { at, target, short_offset(offset), (uint8_t)kind };

	if (r->mark[target] == REACHABLE) /* by a root that points to its start */
		return;
	if (!offset)
		r->mark[target] = REACHABLE;
	if (r->roots.n >= MAX_ROOTS) { /* its class is right but for heuristics */
		if (offset && r->mark[target] == UNREACHED)
			r->mark[target] = POSSIBLE;
		return;
	}
	vec_push(&r->roots, hit);
}

static void advance(struct reach *r, taddr_t at)
{
	while (r->cursor < r->n && block_end(r, r->cursor) <= at) {
		if (r->nested)
			r->outer_end = MAX(r->outer_end,
					   r->block[r->cursor].addr + block_size(r, r->cursor));
		r->edge_start[++r->cursor] = (uint32_t)r->edges.n;
	}
}

void reach_finish(struct reach *r)
{
	for (uint32_t i = 0; r->opts.references && i < r->n; i++)
		r->mark[i] = is_seen(r, i) ? REACHABLE : UNREACHED;
	while (r->cursor < r->n)
		r->edge_start[++r->cursor] = (uint32_t)r->edges.n;
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static void add_edge(struct reach *r, uint32_t from, uint32_t target, uint64_t offset)
{
	int64_t delta = (int64_t)target - from;
	uint64_t zigzag = (uint64_t)delta << 1 ^ (uint64_t)(delta >> 63);
	uint8_t *p;

	if (from == target || from >= r->kept)
		return;
	if (r->edges.n + 2 * MAX_VARINT > r->max_edges) {
		r->edges.n = r->edge_start[from];
		r->kept = from;
		return;
	}
	/* vec_reserve doubles; what is bounded grows to the bound. */
	if (r->edges.n + 2 * MAX_VARINT > r->edges.cap) {
		size_t cap = MIN(MAX(r->edges.cap * 2, (size_t)4096), r->max_edges);

		r->edges.v = xrealloc(r->edges.v, cap, 1);
		r->edges.cap = cap;
	}
	p = put_varint(r->edges.v + r->edges.n, zigzag << 1 | (offset != 0));
	if (offset)
		p = put_varint(p, short_offset(offset));
	r->edges.n = (size_t)(p - r->edges.v);
}

/* Is the word at `at` part of the block at the cursor? */
static bool in_block(const struct reach *r, taddr_t at)
{
	uint32_t i = r->cursor;

	return i < r->n && r->block[i].addr <= at && at + r->opts.word <= r->block[i].addr + block_size(r, i);
}

static void found(struct reach *r, taddr_t at, uint32_t target, uint64_t offset, bool root)
{
	advance(r, at);
	if (in_block(r, at))
		add_edge(r, r->cursor, target, offset);
	else if (root || at < r->outer_end) /* what is left of a block around others */
		add_root(r, ROOT_MEMORY, at, target, offset);
}

/* Three passes, each of which asks for the memory that the next one needs. */
static void look_up(struct reach *r, taddr_t addr, const void *p, const uint16_t *index, size_t n,
		    bool root)
{
	const uint32_t *granule[BATCH];
	uint32_t first[BATCH];

	for (size_t i = 0; i < n; i++) {
		uint64_t v = word_at(r, p, index[i]);
		const struct cluster *c = cluster_of(r, v);

		granule[i] = &c->granule[(v - c->lo) >> GRANULE_SHIFT];
		__builtin_prefetch(granule[i]);
	}
	for (size_t i = 0; i < n; i++) {
		first[i] = *granule[i];
		__builtin_prefetch(&r->block[first[i]]);
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t v = word_at(r, p, index[i]);
		uint32_t target = find_from(r, first[i], v);

		if (target != REACH_NONE)
			found(r, addr + index[i] * (uint64_t)r->opts.word, target,
			      v - r->block[target].addr, root);
	}
}

/* For references a bit for each address is all that is wanted: whether a block
 * begins there is asked once, in the end. */
static void note_seen(struct reach *r, const void *p, const uint16_t *index, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v = word_at(r, p, index[i]);

		for (unsigned k = 0; k < r->nclusters; k++)
			if (v - r->cluster[k].lo < r->cluster[k].hi - r->cluster[k].lo) {
				uint64_t bit = (v - r->cluster[k].lo) / SEEN_UNIT;

				if (!((v - r->cluster[k].lo) % SEEN_UNIT))
					r->seen[k][bit / 8] |= (uint8_t)(1u << bit % 8);
				break;
			}
	}
}

void reach_feed(struct reach *r, taddr_t addr, const void *bytes, size_t len, bool root)
{
	const uint8_t *p = bytes;
	uint16_t index[BATCH];
	size_t words = len / r->opts.word;

	if (!r->nclusters)
		return;
	while (words) {
		size_t n = MIN(words, (size_t)BATCH), k = filter(r, p, n, index);

		if (r->opts.references)
			note_seen(r, p, index, k);
		else
			look_up(r, addr, p, index, k, root);
		addr += n * r->opts.word;
		p += n * r->opts.word;
		words -= n;
	}
}

void reach_feed_register(struct reach *r, pid_t tid, unsigned index, uint64_t value)
{
	uint32_t target = reach_find(r, value &= r->opts.mask);

	if (target == REACH_NONE || r->opts.references) /* that asks for words in memory */
		return;
	add_root(r, ROOT_REGISTER, (taddr_t)tid << 8 | index, target, value - r->block[target].addr);
}

/* -- edges ------------------------------------------------------------------------------------ */


#define READ_BYTES 4096

void reach_load(struct reach *r, uint32_t from)
{
	unsigned word = r->opts.word;
	taddr_t at = (r->block[from].addr + word - 1) & -(taddr_t)word, end = block_end(r, from);
	uint64_t buf[READ_BYTES / 8];
	uint16_t index[READ_BYTES / 4];

	r->loaded.n = 0;
	while (at + word <= end) {
		size_t want = MIN(sizeof buf, (size_t)(end - at) / word * word), n;
		ssize_t got = r->opts.read ? r->opts.read(r->opts.arg, at, buf, want) : 0;

		if (got < (ssize_t)word) { /* a hole: go on behind this page */
			at = (at | 4095) + 1;
			continue;
		}
		n = filter(r, buf, (size_t)got / word, index);
		for (size_t i = 0; i < n; i++) {
			uint64_t v = word_at(r, buf, index[i]);
			uint32_t target = reach_find(r, v);
			struct edge e = { target, 0, false, at + index[i] * (uint64_t)word };

			if (target == REACH_NONE || target == from)
				continue;
			e.offset = short_offset(v - r->block[target].addr);
			e.interior = e.offset != 0;
			vec_push(&r->loaded, e);
		}
		at += (size_t)got / word * word;
	}
}
