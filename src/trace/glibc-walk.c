/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From chunk to chunk through the heaps, and the chunks with mappings of their
 * own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/glibc-internal.h"

#define MAX_BLOCKS ((size_t)1 << 25)
#define MAX_HEAPS 65536 /* of one arena */
/* A boundary of memory for memalign(3) that is looked for in a mapping. */
#define MAX_ALIGN ((uint64_t)1 << 30)
/* What a program itself may have got from sbrk(2) between two parts of the heap. */
#define MAX_FOREIGN ((uint64_t)64 << 20)

struct head {
	uint64_t prev_size, size; /* size without its bits */
	unsigned bits;
	uint64_t first;
};

static struct head parse_head(const struct gwalk *g, const uint8_t *b)
{
	unsigned w = g->l->word;
	uint64_t size = gw_get(g, b + w, w);

	return (struct head){ gw_get(g, b, w), size & ~(uint64_t)SIZE_BITS,
			      (unsigned)size & SIZE_BITS, gw_get(g, b + 2 * w, w) };
}

static bool step(struct gwalk *g)
{
	return g->budget && g->budget--;
}

static bool read_head(struct gwalk *g, taddr_t at, struct head *h)
{
	unsigned w = g->l->word;
	uint8_t b[24] = { 0 };

	/* A fence post may be the last of what can be read. */
	if (!step(g) || (!gw_bytes(g, at, b, 3 * w) && !gw_bytes(g, at, b, 2 * w)))
		return false;
	*h = parse_head(g, b);
	return true;
}

/* The same where no chunk may be: it is in one page. */
static bool peek_head(struct gwalk *g, taddr_t at, struct head *h)
{
	uint8_t b[24];

	if (!step(g) || !gw_peek(g, at, b, 3 * g->l->word))
		return false;
	*h = parse_head(g, b);
	return true;
}

static void add_block(struct gwalk *g, taddr_t chunk, uint64_t usable, uint64_t first)
{
	vec_push(&g->out->blocks,
		 (struct glibc_block){ gw_chunk2mem(g, chunk), usable, first });
}

/* -- one stretch of chunks ------------------------------------------------- */

struct stretch {
	taddr_t at, end; /* what follows the last chunk lies below end */
	taddr_t top;     /* of the arena: ends the stretch when met */
	bool main_arena;
	bool quiet;      /* only a try: nothing is added */
};

/* An in-use chunk of another arena than the main one says so; what does not is
 * the rest of an old top. */
static bool is_block(const struct stretch *s, const struct head *h)
{
	return s->main_arena || h->bits & NON_MAIN_ARENA;
}

static bool plausible(const struct gwalk *g, const struct stretch *s, const struct head *h)
{
	return h->size >= g->l->min_size && !(h->size & (g->l->align - 1)) &&
	       !(h->bits & IS_MMAPPED) && !(s->main_arena && h->bits & NON_MAIN_ARENA) &&
	       h->size < s->end - s->at;
}

/* Up to the top, or to a fence post: a chunk with no room for a block, which
 * closes memory that is not continued.  s->at is then there.  -EINVAL: neither
 * comes. */
static int walk_stretch(struct gwalk *g, struct stretch *s)
{
	struct head h, next;

	if (s->at >= s->end || !read_head(g, s->at, &h))
		return -EINVAL;
	while (s->at != s->top && h.size > 2 * g->l->word) {
		if (!plausible(g, s, &h) || !read_head(g, s->at + h.size, &next))
			return -EINVAL;
		if (next.bits & PREV_INUSE) {
			if (g->out->blocks.n >= MAX_BLOCKS)
				return -EINVAL;
			if (!s->quiet && is_block(s, &h))
				add_block(g, s->at, h.size - glibc_block_head(g->v), h.first);
		} else if (next.prev_size != h.size) {
			return -EINVAL;
		}
		s->at += h.size;
		h = next;
	}
	return 0;
}

/* -- the main arena -------------------------------------------------------- */

/* Behind fence posts in the break's memory comes what the program itself got from
 * sbrk(2), and then the heap again: the first place from which a walk arrives. */
static bool resync(struct gwalk *g, struct stretch *s)
{
	taddr_t at = gw_first_chunk(g, s->at + 2 * g->l->word), limit = at + MAX_FOREIGN;

	for (; at < s->end && at < limit; at += g->l->align) {
		struct stretch try = *s;
		struct head h;

		try.at = at;
		try.quiet = true;
		/* Nobody has written to what would be the size of a chunk before
		 * the first. */
		if (read_head(g, at, &h) && !h.prev_size && h.bits == PREV_INUSE &&
		    !walk_stretch(g, &try) && (try.at == s->top || try.at > at)) {
			s->at = at;
			return true;
		}
	}
	return false;
}

/* Memory that was walked: nothing else begins in it. */
static void add_known(struct gwalk *g, taddr_t start, taddr_t end)
{
	taddr_t mask = -(taddr_t)g->v->page;

	vec_push(&g->heaps, (struct addr_range){ start & mask, (end + g->v->page - 1) & mask });
}

/* Where the arena's top chunk ends. */
static taddr_t top_end(struct gwalk *g, const struct arena *a)
{
	struct head h;

	return read_head(g, a->top, &h) ? a->top + h.size : a->top;
}

static int walk_break(struct gwalk *g, const struct arena *a, bool *top_met)
{
	const struct addr_range *r = gw_anon(g, g->mp.sbrk_base, 1);
	struct stretch s = { .top = a->top, .main_arena = true };

	if (!r)
		return gw_doubt(g, "its heap does not begin where it should");
	s.at = gw_first_chunk(g, g->mp.sbrk_base);
	s.end = r->end;
	while (!walk_stretch(g, &s)) {
		*top_met = s.at == s.top;
		if (*top_met || a->flags & NONCONTIGUOUS) {
			add_known(g, g->mp.sbrk_base, *top_met ? top_end(g, a) : s.at + 1);
			return 0;
		}
		/* Two fence posts in a row. */
		s.at += 2 * g->l->word;
		if (!resync(g, &s))
			break;
	}
	return gw_doubt(g, "the main heap breaks off");
}

/* The part of an arena that holds the page, NULL: none. */
static const struct addr_range *heap_at(const struct gwalk *g, taddr_t page)
{
	for (size_t i = 0; i < g->heaps.n; i++)
		if (page >= g->heaps.v[i].start && page < g->heaps.v[i].end)
			return &g->heaps.v[i];
	return NULL;
}

static taddr_t skip_known(const struct gwalk *g, const struct addr_range *r, taddr_t page)
{
	const struct addr_range *h;

	while (page < r->end && (h = heap_at(g, page)))
		page = h->end;
	return page;
}

/* A part of the main arena that begins with this page of a range?  Then it is
 * walked, and its end returned; else 0. */
static taddr_t walk_segment(struct gwalk *g, const struct arena *a, const struct addr_range *r,
			    taddr_t page)
{
	struct stretch s = { .at = gw_first_chunk(g, page), .end = r->end, .top = a->top,
			     .main_arena = true, .quiet = true };
	struct stretch try = s;
	struct head h;

	if (s.at == a->top) /* all that was in it has been released */
		return s.at;
	if (!peek_head(g, s.at, &h) || h.bits != PREV_INUSE || !plausible(g, &s, &h))
		return 0;
	if (walk_stretch(g, &try) || try.at == s.at)
		return 0;
	s.quiet = false;
	walk_stretch(g, &s);
	return s.at;
}

/* When the break could not grow, the main arena got mappings: each from a page on
 * to fence posts or to the top. */
static void walk_segments(struct gwalk *g, const struct arena *a, bool *top_met)
{
	for (size_t i = 0; i < g->v->nanon && g->budget; i++) {
		const struct addr_range *r = &g->v->anon[i];
		taddr_t page = skip_known(g, r, r->start);

		while (page < r->end && g->budget) {
			taddr_t at = walk_segment(g, a, r, page);

			if (at) {
				*top_met |= at == a->top;
				add_known(g, page, at == a->top ? top_end(g, a) : at + 1);
			} else {
				page += g->v->page;
			}
			if (g->v->present && page < r->end)
				page = g->v->present(g->v->arg, page, r->end);
			page = skip_known(g, r, page);
		}
	}
}

static int walk_main(struct gwalk *g)
{
	const struct arena *a = &g->arenas.v[0];
	bool top_met = false;
	int err = 0;

	if (!a->used || !a->top)
		return 0;
	if (g->mp.sbrk_base)
		err = walk_break(g, a, &top_met);
	if (!err && a->flags & NONCONTIGUOUS)
		walk_segments(g, a, &top_met);
	if (!err && !top_met)
		err = gw_doubt(g, "the main heap's end was not found");
	if (!err && !(a->flags & NONCONTIGUOUS) && top_end(g, a) != g->mp.sbrk_base + a->system_mem)
		gw_doubt(g, "the main heap has another size than it says");
	return err;
}

/* -- the other arenas ------------------------------------------------------ */

struct heap_info {
	taddr_t arena, prev;
	uint64_t size, mprotect_size, pagesize;
};

static bool read_heap(struct gwalk *g, taddr_t at, const struct arena *a, struct heap_info *h)
{
	unsigned w = g->l->word;
	uint8_t b[40];

	if (!gw_bytes(g, at, b, 5 * w))
		return false;
	*h = (struct heap_info){ gw_get(g, b, w), gw_get(g, b + w, w), gw_get(g, b + 2 * w, w),
				 gw_get(g, b + 3 * w, w), gw_get(g, b + 4 * w, w) };
	return h->arena == a->addr && h->size <= h->mprotect_size &&
	       h->mprotect_size <= g->l->heap_max && h->pagesize == g->v->page &&
	       h->size >= g->l->heap_info_size && gw_anon(g, at, h->size);
}

/* One heap; the newest of an arena ends with the top. */
static int walk_heap(struct gwalk *g, const struct arena *a, taddr_t at, const struct heap_info *h)
{
	struct stretch s = { .end = at + h->size, .top = a->top };

	s.at = at + g->l->heap_info_size;
	if (s.at == a->addr)
		s.at += g->l->arena_size;
	s.at = gw_first_chunk(g, s.at);
	if (walk_stretch(g, &s) || (a->top - at < h->size && s.at != a->top))
		return gw_doubt(g, "the heap of a thread's arena breaks off");
	return 0;
}

/* One of its heaps; those that come before are tried first. */
typedef int heap_fn(struct gwalk *g, const struct arena *a, taddr_t at, const struct heap_info *h);

static int each_heap(struct gwalk *g, const struct arena *a, heap_fn *fn)
{
	taddr_t at = a->top & -(taddr_t)g->l->heap_max, first = a->addr & -(taddr_t)g->l->heap_max;
	uint64_t sum = 0;
	struct heap_info h;

	for (unsigned n = 0; at && n < MAX_HEAPS; n++, at = h.prev) {
		int err = -EINVAL;

		if (at & (g->l->heap_max - 1) || heap_at(g, at) || !read_heap(g, at, a, &h))
			return gw_doubt(g, "the heaps of a thread's arena cannot be followed");
		err = fn(g, a, at, &h);
		if (err)
			return err;
		add_known(g, at, at + h.mprotect_size);
		sum += h.size;
		if (at == first)
			break;
	}
	if (at != first)
		return gw_doubt(g, "the heaps of a thread's arena cannot be followed");
	if (sum != a->system_mem)
		gw_doubt(g, "a thread's arena has another size than it says");
	return 0;
}

/* -- outlines --------------------------------------------------------------- */

/* The head of a block ends where the block begins.  The first chunk of an arena is
 * the cache of the thread that made it. */
static void add_region(struct gwalk *g, const struct arena *a, taddr_t start, taddr_t end,
		       taddr_t first)
{
	taddr_t chunk = gw_first_chunk(g, first);
	taddr_t lead = gw_chunk2mem(g, chunk) - glibc_block_head(g->v) - start;
	struct head h;

	/* It may have a rest that is too small for another one. */
	if (read_head(g, chunk, &h) && chunk != a->top && h.size - g->l->tcache_size < g->l->min_size)
		lead += h.size;
	vec_push(&g->out->regions, (struct glibc_region){ start, end, (unsigned)(a - g->arenas.v),
							  MIN(lead, end - start) });
}

static int outline_heap(struct gwalk *g, const struct arena *a, taddr_t at, const struct heap_info *h)
{
	taddr_t first = at + g->l->heap_info_size;

	add_region(g, a, at, at + h->size, first == a->addr ? first + g->l->arena_size : first);
	return 0;
}

/* Where the break could not grow, what the arena got instead is not told. */
static void outline_main(struct gwalk *g)
{
	const struct arena *a = &g->arenas.v[0];
	const struct addr_range *r = gw_anon(g, g->mp.sbrk_base, 1);
	taddr_t end = r ? r->end : 0;

	if (!a->used || !a->top || !r)
		return;
	if (!(a->flags & NONCONTIGUOUS))
		end = MIN(end, g->mp.sbrk_base + a->system_mem);
	if (end > g->mp.sbrk_base)
		add_region(g, a, g->mp.sbrk_base, end, g->mp.sbrk_base);
}

int gw_outline(struct gwalk *g)
{
	int err = 0;

	outline_main(g);
	for (size_t i = 1; i < g->arenas.n && !err; i++)
		err = each_heap(g, &g->arenas.v[i], outline_heap);
	return err;
}

/* -- chunks with a mapping of their own ------------------------------------ */

struct mapped {
	taddr_t chunk;
	uint64_t lead, size, first;
};

static bool fits(const struct gwalk *g, const struct mapped *m, uint64_t room)
{
	uint64_t total = m->lead + m->size;

	return m->size >= g->l->min_size && total >= m->size && !(total & (g->v->page - 1)) &&
	       total <= room;
}

static bool mapped_at(struct gwalk *g, taddr_t page, uint64_t lead, uint64_t room, struct mapped *m)
{
	struct head h;

	if (lead + 4 * g->l->word > room || !peek_head(g, page + lead, &h))
		return false;
	*m = (struct mapped){ page + lead, lead, h.size, h.first };
	return h.bits == IS_MMAPPED && h.prev_size == lead && fits(g, m, room);
}

/* Is a page the beginning of such a mapping?  memalign moves the chunk up and
 * leaves the first head as it was: its true head lies before the first multiple
 * of some power of two. */
static bool mapping_begins(struct gwalk *g, taddr_t page, uint64_t room, struct mapped *m)
{
	uint64_t plain = gw_first_chunk(g, page) - page;
	taddr_t mem = gw_chunk2mem(g, page + plain);
	struct mapped moved;
	struct head h;

	if (!peek_head(g, page + plain, &h) || h.bits != IS_MMAPPED || h.prev_size != plain)
		return false;
	for (uint64_t a = 2 * g->l->align; a <= MAX_ALIGN && a < room; a *= 2) {
		taddr_t there = (mem + a - 1) & -a;

		if (there != mem && mapped_at(g, page, there - 2 * g->l->word - page, room, &moved)) {
			*m = moved;
			return true;
		}
	}
	return mapped_at(g, page, plain, room, m);
}

struct mapped_sum {
	size_t first; /* of the blocks */
	uint64_t n, bytes;
};

static bool all_found(const struct gwalk *g, const struct mapped_sum *sum)
{
	return sum->n == g->mp.n_mmaps && sum->bytes == g->mp.mmapped_mem;
}

/* All mappings that begin in a range; `every`: at any page of it, else only those
 * that follow one another from its start. */
static void mapped_in(struct gwalk *g, const struct addr_range *r, bool every,
		      struct mapped_sum *sum)
{
	taddr_t page = skip_known(g, r, r->start);
	struct mapped m;

	while (page < r->end && g->budget && !all_found(g, sum)) {
		if (mapping_begins(g, page, r->end - page, &m)) {
			add_block(g, m.chunk, m.size - 2 * g->l->word, m.first);
			sum->n++;
			sum->bytes += m.lead + m.size;
			vec_push(&g->out->parts,
				 ((struct addr_range){ page, page + m.lead + m.size }));
			page += m.lead + m.size;
		} else if (!every) {
			return;
		} else {
			page += g->v->page;
		}
		if (every && g->v->present && page < r->end)
			page = g->v->present(g->v->arg, page, r->end);
		page = skip_known(g, r, page);
	}
}

static bool find_mapped(struct gwalk *g, bool every)
{
	struct mapped_sum sum = { .first = g->out->blocks.n };

	for (size_t i = 0; i < g->v->nanon && !all_found(g, &sum); i++)
		mapped_in(g, &g->v->anon[i], every, &sum);
	g->out->mapped = (unsigned)sum.n;
	if (all_found(g, &sum))
		return true;
	if (!every)
		g->out->blocks.n = sum.first;
	return false;
}

/* -- all ------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct glibc_block *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

int gw_walk(struct gwalk *g)
{
	int err = walk_main(g);

	for (size_t i = 1; i < g->arenas.n && !err; i++)
		err = each_heap(g, &g->arenas.v[i], walk_heap);
	if (err)
		return err;
	g->out->arenas = (unsigned)g->arenas.n;
	/* Adjacent mappings become one in the kernel's list, so that one may begin
	 * anywhere in a range; at its start is where most do. */
	if (!find_mapped(g, false) && !find_mapped(g, true))
		gw_doubt(g, "it has %u blocks with mappings of their own, %llu should be there",
			 g->out->mapped, (unsigned long long)g->mp.n_mmaps);
	if (g->out->blocks.n)
		qsort(g->out->blocks.v, g->out->blocks.n, sizeof *g->out->blocks.v, by_address);
	return 0;
}
