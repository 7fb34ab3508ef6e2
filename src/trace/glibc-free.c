/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chunks that look used and are free: those in fastbins and in the caches of
 * threads; and the caches themselves, which are chunks that nobody asked for. */
#include <string.h>

#include "trace/glibc-internal.h"

/* How far below the thread pointer glibc's variables are looked for: those of the
 * program lie between. */
#define MAX_TLS ((uint64_t)256 << 10)
/* thread_arena and tcache are neighbours: at most this many words apart. */
#define NEAR 4

/* tcache_perthread_struct: a count and a list for each size. */
struct cache {
	uint8_t b[TCACHE_BINS * (2 + 8)];
};

/* A link of a list of free chunks, as it lies at `at`. */
static taddr_t reveal(const struct gwalk *g, taddr_t at, uint64_t link)
{
	uint64_t v = at >> 12 ^ link;

	return g->l->word == 4 ? (uint32_t)v : v;
}

static struct glibc_block *block_at(struct gwalk *g, taddr_t mem)
{
	size_t lo = 0, hi = g->out->blocks.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (g->out->blocks.v[mid].addr < mem)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < g->out->blocks.n && g->out->blocks.v[lo].addr == mem ? &g->out->blocks.v[lo]
									 : NULL;
}

static uint64_t chunk_size(const struct gwalk *g, const struct glibc_block *b)
{
	return b->usable + glibc_block_head(g->v);
}

/* Dropped blocks have no size until all are swept out. */
static void drop(struct glibc_block *b)
{
	b->usable = 0;
}

/* -- lists ----------------------------------------------------------------- */

/* Drops a list from its first block on, linked by the word at each block's place,
 * all of one size.  How many, or -1: it leads elsewhere. */
static long drop_list(struct gwalk *g, taddr_t mem, uint64_t size, long max)
{
	long n = 0;

	while (mem) {
		struct glibc_block *b = block_at(g, mem);
		uint64_t link;

		if (!b || !b->usable || chunk_size(g, b) != size || n >= max ||
		    !gw_word(g, mem, &link))
			return -1;
		n++;
		drop(b);
		mem = reveal(g, mem, link);
	}
	return n;
}

static void drop_fastbins(struct gwalk *g, const struct arena *a)
{
	for (unsigned i = 0; i < g->l->nfastbins; i++) {
		/* fastbin_index(): by 8 on 32 bit; every other one is empty where
		 * chunks are aligned to 16. */
		uint64_t size = (uint64_t)(i + 2) << (g->l->word == 8 ? 4 : 3);
		taddr_t chunk = a->fastbin[i], mem = chunk ? gw_chunk2mem(g, chunk) : 0;

		/* The links lead to chunks, not to their memory. */
		while (mem) {
			struct glibc_block *b = block_at(g, mem);
			uint64_t link;

			if (!b || !b->usable || chunk_size(g, b) != size || !gw_word(g, mem, &link)) {
				gw_doubt(g, "a list of free blocks leads elsewhere");
				break;
			}
			drop(b);
			chunk = reveal(g, mem, link);
			mem = chunk ? gw_chunk2mem(g, chunk) : 0;
		}
	}
}

/* -- caches of threads ----------------------------------------------------- */

static bool read_cache(struct gwalk *g, taddr_t mem, struct cache *c)
{
	return gw_peek(g, mem, c->b, TCACHE_BINS * (2 + g->l->word));
}

static unsigned cache_count(const struct gwalk *g, const struct cache *c, unsigned i)
{
	return (unsigned)gw_get(g, c->b + 2 * i, 2);
}

static taddr_t cache_entry(const struct gwalk *g, const struct cache *c, unsigned i)
{
	return gw_get(g, c->b + 2 * TCACHE_BINS + g->l->word * i, g->l->word);
}

static uint64_t cache_chunk_size(const struct gwalk *g, unsigned i)
{
	return g->l->min_size + (uint64_t)i * g->l->align;
}

static void drop_cache(struct gwalk *g, struct glibc_block *cache)
{
	struct cache c;
	bool read = read_cache(g, cache->addr, &c);

	drop(cache);
	g->out->caches++;
	for (unsigned i = 0; read && i < TCACHE_BINS; i++) {
		long n = drop_list(g, cache_entry(g, &c, i), cache_chunk_size(g, i),
				   (long)MAX(g->mp.tcache_count, (uint64_t)1) + 1);

		if (n < 0 || n != (long)cache_count(g, &c, i))
			gw_doubt(g, "a thread's cache of free blocks leads elsewhere");
	}
}

static bool is_arena(const struct gwalk *g, uint64_t v)
{
	for (size_t i = 0; i < g->arenas.n; i++)
		if (g->arenas.v[i].addr == v)
			return true;
	return false;
}

/* Taken from a free chunk, it may have a rest that is too small for another one. */
static bool is_cache_size(const struct gwalk *g, const struct glibc_block *b)
{
	return b->usable && chunk_size(g, b) - g->l->tcache_size < g->l->min_size;
}

static struct glibc_block *cache_block(struct gwalk *g, uint64_t mem)
{
	struct glibc_block *b = mem & (g->l->align - 1) ? NULL : block_at(g, mem);

	return b && is_cache_size(g, b) ? b : NULL;
}

/* Beside the word at `at`, which holds an arena: a thread's cache? */
static struct glibc_block *cache_beside(struct gwalk *g, taddr_t at, taddr_t *where)
{
	unsigned w = g->l->word;

	for (int i = -NEAR; i <= NEAR; i++) {
		taddr_t here = at + (taddr_t)((int64_t)i * (int)w);
		struct glibc_block *b;
		uint64_t v;

		if (!i || !gw_word(g, here, &v) || !(b = cache_block(g, v)))
			continue;
		*where = here;
		return b;
	}
	return NULL;
}

static bool is_beside_cache(struct gwalk *g, taddr_t at, taddr_t *where)
{
	uint64_t v;

	return gw_word(g, at, &v) && is_arena(g, v) && cache_beside(g, at, where);
}

/* How far below the thread pointer `tcache` lies, as this thread shows; 0: it does
 * not.  Above it (variables lie there on PowerPC and ARM) is below 0. */
static uint64_t find_offset(struct gwalk *g, taddr_t tp)
{
	const struct addr_range *r = gw_anon(g, tp - 1, 1);
	unsigned w = g->l->word;
	taddr_t low, where;
	uint64_t v, n;

	if (!r || tp & (w - 1))
		return 0;
	low = tp - r->start > MAX_TLS ? tp - MAX_TLS : r->start;
	/* The nearest is the likeliest: below the variables may lie a stack. */
	for (taddr_t at = tp - w; at >= low && at < tp; at -= w) {
		n = MIN(at - low, (uint64_t)16384);
		if (at < g->win_at || at - g->win_at >= g->win_len)
			gw_bytes(g, at - n, &v, w);
		if (is_beside_cache(g, at, &where))
			return tp - where;
	}
	for (taddr_t at = tp; at < r->end && at - tp < MAX_TLS; at += w) {
		if (at < g->win_at || at - g->win_at >= g->win_len)
			gw_bytes(g, at, &v, w);
		if (is_beside_cache(g, at, &where) && where != tp)
			return tp - where;
	}
	return 0;
}

static void drop_caches(struct gwalk *g)
{
	uint64_t off = 0, v;

	for (size_t i = 0; i < g->v->ntp && !off; i++)
		off = find_offset(g, g->v->tp[i]);
	for (size_t i = 0; i < g->v->ntp && off; i++) {
		struct glibc_block *b;

		if (gw_word(g, g->v->tp[i] - off, &v) && v && (b = cache_block(g, v)))
			drop_cache(g, b);
	}
	if (!off && g->out->blocks.n)
		gw_doubt(g, "no thread's cache of free blocks was found");
}

/* -- caches without a thread ----------------------------------------------- */

/* fork() copies those of other threads, and a thread that is ending has let go of
 * its own: a chunk of that size whose contents are a cache's, with something in
 * it.  Every chunk in one has the same key in its second word. */
static bool is_left_cache(struct gwalk *g, const struct glibc_block *b)
{
	unsigned filled = 0;
	uint64_t key, first_key = 0;
	struct cache c;

	if (!is_cache_size(g, b) || !read_cache(g, b->addr, &c))
		return false;
	for (unsigned i = 0; i < TCACHE_BINS; i++) {
		taddr_t e = cache_entry(g, &c, i);
		const struct glibc_block *in = e ? block_at(g, e) : NULL;

		if (cache_count(g, &c, i) > g->mp.tcache_count || !e != !cache_count(g, &c, i))
			return false;
		if (!e)
			continue;
		if (!in || !in->usable || chunk_size(g, in) != cache_chunk_size(g, i) ||
		    !gw_word(g, e + g->l->word, &key) || !key || (first_key && key != first_key))
			return false;
		first_key = key;
		filled++;
	}
	return filled > 0;
}

static void drop_left_caches(struct gwalk *g)
{
	for (size_t i = 0; i < g->out->blocks.n; i++)
		if (is_left_cache(g, &g->out->blocks.v[i]))
			drop_cache(g, &g->out->blocks.v[i]);
}

/* -- all ------------------------------------------------------------------- */

static void sweep(struct glibc_heap *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->blocks.n; i++)
		if (h->blocks.v[i].usable && (!n || h->blocks.v[i].addr != h->blocks.v[n - 1].addr))
			h->blocks.v[n++] = h->blocks.v[i];
	h->blocks.n = n;
}

void gw_drop_free(struct gwalk *g)
{
	for (size_t i = 0; i < g->arenas.n; i++)
		drop_fastbins(g, &g->arenas.v[i]);
	drop_caches(g);
	drop_left_caches(g);
	sweep(g->out);
}
