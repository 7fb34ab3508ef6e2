/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"
#include "trace/glibc-internal.h"

/* Steps from chunk to chunk and looks at pages: more than any heap that a census
 * could take within a minute. */
#define BUDGET ((uint64_t)1 << 27)

static const struct glibc_layout layouts[] = {
	{ .word = 8, .align = 16, .nfastbins = 10, .fastbins = 0x10, .top = 0x60, .bins = 0x70, .next = 0x870,
	  .system_mem = 0x888, .max_system_mem = 0x890, .arena_size = 0x898,
	  .heap_info_size = 0x30, .heap_max = 64 << 20, .tcache_size = 0x290, .min_size = 32 },
	/* i386 and PowerPC */
	{ .word = 4, .align = 16, .nfastbins = 11, .fastbins = 0xc, .top = 0x38, .bins = 0x40, .next = 0x448,
	  .system_mem = 0x454, .max_system_mem = 0x458, .arena_size = 0x45c,
	  .heap_info_size = 0x18, .heap_max = 1 << 20, .tcache_size = 0x190, .min_size = 16 },
	/* ARM: the largest request for a fastbin, 80 bytes, has a bin less. */
	{ .word = 4, .align = 8, .nfastbins = 10, .fastbins = 0xc, .top = 0x34, .bins = 0x3c, .next = 0x444,
	  .system_mem = 0x450, .max_system_mem = 0x454, .arena_size = 0x458,
	  .heap_info_size = 0x18, .heap_max = 1 << 20, .tcache_size = 0x188, .min_size = 16 },
};

/* -- reading --------------------------------------------------------------- */

static bool fill_window(struct gwalk *g, taddr_t addr)
{
	ssize_t n = g->v->mem->read(g->v->mem->arg, addr, g->win, sizeof g->win);

	g->win_at = addr;
	g->win_len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

bool gw_bytes(struct gwalk *g, taddr_t addr, void *buf, size_t len)
{
	if (addr < g->win_at || addr - g->win_at > g->win_len ||
	    g->win_len - (addr - g->win_at) < len)
		if (!fill_window(g, addr) || g->win_len < len)
			return false;
	memcpy(buf, g->win + (addr - g->win_at), len);
	return true;
}

bool gw_peek(struct gwalk *g, taddr_t addr, void *buf, size_t len)
{
	if (addr >= g->win_at && addr - g->win_at < g->win_len &&
	    g->win_len - (addr - g->win_at) >= len) {
		memcpy(buf, g->win + (addr - g->win_at), len);
		return true;
	}
	return g->v->mem->read(g->v->mem->arg, addr, buf, len) == (ssize_t)len;
}

uint64_t gw_get(const struct gwalk *g, const uint8_t *p, unsigned len)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < len; i++)
		v |= (uint64_t)p[i] << 8 * (g->v->big_endian ? len - 1 - i : i);
	return v;
}

bool gw_word(struct gwalk *g, taddr_t addr, uint64_t *out)
{
	uint8_t b[8];

	if (!gw_peek(g, addr, b, g->l->word))
		return false;
	*out = gw_get(g, b, g->l->word);
	return true;
}

const struct addr_range *gw_anon(const struct gwalk *g, taddr_t addr, uint64_t len)
{
	size_t lo = 0, hi = g->v->nanon;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct addr_range *r = &g->v->anon[mid];

		if (addr >= r->end)
			lo = mid + 1;
		else if (addr < r->start)
			hi = mid;
		else
			return len <= r->end - addr ? r : NULL;
	}
	return NULL;
}

int gw_doubt(struct gwalk *g, const char *fmt, ...)
{
	va_list ap;

	if (g->out->doubt[0])
		return -EINVAL;
	va_start(ap, fmt);
	vsnprintf(g->out->doubt, sizeof g->out->doubt, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* -- all of it ------------------------------------------------------------- */

static int take(struct gwalk *g)
{
	int err = gw_find(g);

	if (err)
		return err;
	err = gw_walk(g);
	if (!err)
		gw_drop_free(g);
	return err;
}

static struct gwalk *gw_new(const struct glibc_view *v, struct glibc_heap *out)
{
	struct gwalk *g = xcalloc(1, sizeof *g);

	memset(out, 0, sizeof *out);
	g->v = v;
	g->out = out;
	g->budget = BUDGET;
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].word == v->word && layouts[i].align == v->align)
			g->l = &layouts[i];
	return g;
}

static void gw_free(struct gwalk *g)
{
	vec_release(&g->arenas);
	vec_release(&g->heaps);
	free(g);
}

int glibc_census(const struct glibc_view *v, struct glibc_heap *out)
{
	struct gwalk *g = gw_new(v, out);
	int err;

	err = g->l ? take(g) : -ENOTSUP;
	for (size_t i = 0; i < g->heaps.n && !err; i++)
		vec_push(&out->parts, g->heaps.v[i]);
	if (err)
		glibc_heap_release(out);
	gw_free(g);
	return err;
}

int glibc_outline(const struct glibc_view *v, struct glibc_heap *out)
{
	struct gwalk *g = gw_new(v, out);
	int err = g->l ? gw_find(g) : -ENOTSUP;

	if (!err)
		err = gw_outline(g);
	if (err)
		glibc_heap_release(out);
	gw_free(g);
	return err;
}

void glibc_block_layout(const struct glibc_view *v, uint32_t *header, uint32_t *align, uint32_t *min)
{
	*header = glibc_block_head(v);
	*align = v->align;
	*min = 4 * v->word;
}

bool glibc_main_arena(const struct glibc_view *v, struct addr_range *out)
{
	struct glibc_heap unused;
	struct gwalk *g = gw_new(v, &unused);
	bool found = g->l && gw_find_main(g);

	if (found)
		*out = (struct addr_range){ g->arenas.v[0].addr, g->arenas.v[0].addr + g->l->next };
	gw_free(g);
	return found;
}

void glibc_heap_release(struct glibc_heap *h)
{
	vec_release(&h->blocks);
	vec_release(&h->parts);
	vec_release(&h->regions);
}
