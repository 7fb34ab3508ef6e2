/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where glibc's main arena and mp_ are.  The C library is stripped as a rule, so
 * both are recognised by what they must hold: of an arena's 127 bins those that
 * are empty point to themselves, and the chunks in the others back to their bin. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/glibc-internal.h"

#define MAX_ARENAS 65536
/* A thread may have been stopped while it was changing one or two. */
#define MAX_BAD_BINS 4
#define MAX_DATA ((uint64_t)64 << 20) /* of a program's variables that are searched */

/* A copy of the variables at [start, start + len). */
struct search {
	struct gwalk *g;
	taddr_t start;
	const uint8_t *p;
	size_t len;
};

static uint64_t word_at(const struct gwalk *g, const uint8_t *p, size_t off)
{
	return gw_get(g, p + off, g->l->word);
}

/* -- arenas ---------------------------------------------------------------- */

/* Where heap_info lies when `addr` is the arena behind it; 0: it is not. */
static taddr_t heap_of_arena(const struct gwalk *g, taddr_t addr)
{
	taddr_t heap = addr - g->l->heap_info_size;

	return heap & (g->l->heap_max - 1) ? 0 : heap;
}

/* Do the first and the last chunk of a bin point back to it? */
static bool is_linked(struct gwalk *g, taddr_t self, taddr_t fd, taddr_t bk)
{
	unsigned w = g->l->word;
	uint64_t back, forth;

	return gw_word(g, fd + 3 * w, &back) && back == self && gw_word(g, bk + 2 * w, &forth) &&
	       forth == self;
}

/* The bins of an arena: all 0 in one that was never used, else each is empty, which
 * is to point to itself, or a ring.  False: this is no arena. */
static bool check_bins(struct gwalk *g, taddr_t addr, const uint8_t *p, struct arena *a)
{
	unsigned w = g->l->word, good = 0, bad = 0;

	for (unsigned i = 0; i < NBINS && bad <= MAX_BAD_BINS; i++) {
		size_t off = g->l->bins + 2 * w * i;
		taddr_t self = addr + off - 2 * w;
		uint64_t fd = word_at(g, p, off), bk = word_at(g, p, off + w);

		if (!fd && !bk && !good && !bad)
			continue;
		if ((fd == self && bk == self) || is_linked(g, self, fd, bk))
			good++;
		else
			bad++;
	}
	a->used = good > 0;
	a->bad = bad;
	return !bad || (good + bad == NBINS && bad <= MAX_BAD_BINS);
}

static bool parse_arena(struct gwalk *g, taddr_t addr, const uint8_t *p, struct arena *a)
{
	const struct glibc_layout *l = g->l;

	*a = (struct arena){ .addr = addr, .flags = (uint32_t)gw_get(g, p + 4, 4),
			     .top = word_at(g, p, l->top), .next = word_at(g, p, l->next),
			     .system_mem = word_at(g, p, l->system_mem) };
	if (!a->next || (a->next != addr && a->next & (l->word - 1)) || a->flags & ~3u)
		return false;
	if (a->system_mem > word_at(g, p, l->max_system_mem))
		return false;
	for (unsigned i = 0; i < l->nfastbins; i++)
		a->fastbin[i] = word_at(g, p, l->fastbins + i * l->word);
	if (!check_bins(g, addr, p, a))
		return false;
	/* One that was never used holds little else but its own address. */
	if (a->used ? !a->top
		    : a->top || a->system_mem || a->next != addr ||
			      word_at(g, p, l->next + 2 * l->word) != 1)
		return false;
	/* It has never had memory: its top is what stands for an empty bin. */
	if (a->top == addr + l->bins - 2 * l->word)
		a->top = 0;
	return true;
}

/* What begins a bin or two beside an arena looks much like it, but for these. */
static bool add_main(struct gwalk *g, const struct arena *a)
{
	struct arena *have = g->arenas.v;

	if (!g->arenas.n) {
		vec_push(&g->arenas, *a);
		return true;
	}
	if (a->addr - have->addr >= g->l->arena_size) {
		gw_doubt(g, "there are two C libraries in it");
		return false;
	}
	if (a->bad < have->bad)
		*have = *a;
	return true;
}

/* The main arena is the last of the ring, or alone in it. */
static bool look_for_main(struct search *s)
{
	struct gwalk *g = s->g;
	const struct glibc_layout *l = g->l;
	struct arena a;

	for (size_t off = 0; off + l->arena_size <= s->len; off += l->word) {
		taddr_t addr = s->start + off, next = word_at(g, s->p, off + l->next);

		if (next != addr && (!next || !heap_of_arena(g, next)))
			continue;
		if (!parse_arena(g, addr, s->p + off, &a))
			continue;
		if (!add_main(g, &a))
			return false;
	}
	return g->arenas.n > 0;
}

/* -- mp_ ------------------------------------------------------------------- */

/* The bin of the largest request that tcache_max_bytes lets in. */
static uint64_t bins_for(const struct gwalk *g, uint64_t max)
{
	uint64_t size = (max + g->l->word + g->l->align - 1) & -(uint64_t)g->l->align;

	size = MAX(size, g->l->min_size);
	return (size - g->l->min_size + g->l->align - 1) / g->l->align + 1;
}

static bool parse_mp(const struct gwalk *g, const uint8_t *p, struct mparams *mp)
{
	unsigned w = g->l->word, longs = (7 * w + 20 + w - 1) & -w;
	uint64_t hp_pagesize = word_at(g, p, 6 * w), max_mmaps = gw_get(g, p + 7 * w + 12, 4);
	uint64_t max_mem = word_at(g, p, longs + w), bins = word_at(g, p, longs + 3 * w);
	uint64_t max = word_at(g, p, longs + 4 * w);

	*mp = (struct mparams){ .n_mmaps = gw_get(g, p + 7 * w + 4, 4),
				.mmapped_mem = word_at(g, p, longs),
				.sbrk_base = word_at(g, p, longs + 2 * w),
				.tcache_count = word_at(g, p, longs + 5 * w) };
	if (!bins || bins > TCACHE_BINS || max > 4096 || bins_for(g, max) != bins ||
	    mp->tcache_count > UINT16_MAX || hp_pagesize)
		return false;
	return mp->n_mmaps <= max_mmaps && max_mmaps <= INT32_MAX && mp->mmapped_mem <= max_mem &&
	       !(mp->mmapped_mem & (g->v->page - 1)) && !(max_mem & (g->v->page - 1)) &&
	       !mp->n_mmaps == !mp->mmapped_mem && !max_mmaps == !max_mem;
}

static bool look_for_mp(struct search *s)
{
	const struct gwalk *g = s->g;
	unsigned w = g->l->word, size = ((7 * w + 20 + w - 1) & -w) + 7 * w;
	const struct arena *a = &g->arenas.v[0];
	struct mparams mp;

	for (size_t off = 0; off + size <= s->len; off += w) {
		if (!parse_mp(g, s->p + off, &mp))
			continue;
		/* It lies in the heap that it is the beginning of. */
		if (a->top && !gw_anon(g, mp.sbrk_base, g->l->min_size))
			continue;
		if (a->top && !(a->flags & NONCONTIGUOUS) &&
		    (mp.sbrk_base > a->top || !gw_anon(g, mp.sbrk_base, a->top - mp.sbrk_base)))
			continue;
		s->g->mp = mp;
		return true;
	}
	return false;
}

/* -- the search ------------------------------------------------------------ */

static bool search(struct gwalk *g, bool (*look)(struct search *))
{
	bool found = false;

	for (size_t i = 0; i < g->v->ndata; i++) {
		const struct addr_range *r = &g->v->data[i];
		uint64_t len = MIN(r->end - r->start, MAX_DATA);
		uint8_t *copy = xmalloc(len);
		ssize_t n = g->v->mem->read(g->v->mem->arg, r->start, copy, len);
		struct search s = { g, r->start, copy, n > 0 ? (size_t)n : 0 };

		found |= look(&s);
		free(copy);
	}
	return found;
}

/* From the main arena through the ring back to it. */
static int follow_ring(struct gwalk *g)
{
	uint8_t *p = xmalloc(g->l->arena_size);
	taddr_t main_arena = g->arenas.v[0].addr, at = g->arenas.v[0].next;
	int err = 0;

	while (at != main_arena && !err) {
		struct arena a;
		taddr_t heap = heap_of_arena(g, at);

		if (g->arenas.n >= MAX_ARENAS || !heap || !gw_anon(g, heap, g->l->heap_info_size) ||
		    !gw_bytes(g, at, p, g->l->arena_size) || !parse_arena(g, at, p, &a) || !a.used) {
			err = gw_doubt(g, "its list of arenas cannot be followed");
			break;
		}
		vec_push(&g->arenas, a);
		at = a.next;
	}
	free(p);
	return err;
}

bool gw_find_main(struct gwalk *g)
{
	return search(g, look_for_main);
}

int gw_find(struct gwalk *g)
{
	if (!gw_find_main(g)) {
		gw_doubt(g, "no main arena as glibc 2.36 has it was found");
		return -ENOTSUP;
	}
	if (g->out->doubt[0])
		return -ENOTSUP;
	if (!search(g, look_for_mp)) {
		gw_doubt(g, "no malloc parameters as glibc 2.36 has them were found");
		return -ENOTSUP;
	}
	return follow_ring(g);
}
