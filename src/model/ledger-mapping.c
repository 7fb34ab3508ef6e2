/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program's own mmap regions and its break. */
#include "ledger-internal.h"
#include "model/regions.h"

/* The smallest page there is.  Where pages are larger, the kernel refuses what
 * is not aligned to them, so that only the end of the last page is unseen. */
#define PAGE ((uint64_t)4096)

struct cutting {
	struct ledger *ledger;
	struct heap_proc *proc;
	bool any;
};

static void lose(void *arg, uint32_t stack, int ranges, uint64_t bytes)
{
	struct cutting *c = arg;
	struct heap_count *count = count_of(c->ledger, c->proc, stack);
	struct heap_mappings *m = &c->proc->maps;

	c->any = true;
	count->open_blocks += ranges;
	count->open_bytes = (int64_t)((uint64_t)count->open_bytes - bytes);
	m->open_regions += (uint64_t)ranges;
	m->open_bytes -= bytes;
}

/* Start and end in whole pages; false: empty, or it wraps around. */
static bool extent(taddr_t addr, uint64_t size, struct region *r)
{
	taddr_t end;

	if (!size || __builtin_add_overflow(addr, size, &end) || end > UINT64_MAX - PAGE)
		return false;
	r->start = addr & -PAGE;
	r->end = (end + PAGE - 1) & -PAGE;
	return true;
}

static bool cut(struct ledger *l, struct heap_proc *p, taddr_t addr, uint64_t size)
{
	struct cutting c = { l, p, false };
	struct region r;

	if (extent(addr, size, &r))
		regions_cut(p->regions, r.start, r.end, lose, &c);
	return c.any;
}

/* A new region; with MAP_FIXED it replaces what was there.  The size that the
 * caller asked for, or 0: nothing was added. */
static uint64_t add(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	struct heap_mappings *m = &p->maps;
	struct heap_count *c;
	struct region r;
	uint64_t bytes;

	if (!extent(ev->u.map.addr, ev->u.map.size, &r))
		return 0;
	cut(l, p, ev->u.map.addr, ev->u.map.size);
	c = count_of(l, p, ev->u.map.stack);
	r.stack = c->stack;
	regions_add(p->regions, &r);
	bytes = r.end - r.start;
	c->open_blocks++;
	c->open_bytes = (int64_t)((uint64_t)c->open_bytes + bytes);
	c->last_ns = ev->time_ns;
	m->open_regions++;
	m->open_bytes += bytes;
	m->peak_bytes = MAX(m->peak_bytes, m->open_bytes);
	c->total_blocks++;
	c->total_bytes += bytes;
	c->min_size = MIN(c->min_size, ev->u.map.size);
	c->max_size = MAX(c->max_size, ev->u.map.size);
	return bytes;
}

void mapping_map(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	uint64_t bytes = add(l, p, ev);

	if (bytes) {
		p->maps.maps++;
		p->maps.bytes_mapped += bytes;
	}
}

void mapping_unmap(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	if (cut(l, p, ev->u.map.addr, ev->u.map.size))
		p->maps.unmaps++;
}

/* An old size of 0 makes a second mapping of shared pages and leaves the first
 * (mremap(2)). */
void mapping_remap(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	cut(l, p, ev->u.map.old_addr, ev->u.map.old_size);
	if (add(l, p, ev))
		p->maps.remaps++;
}

void mapping_brk(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	taddr_t now = ev->u.map.addr, before = ev->u.map.old_addr;
	struct heap_mappings *m = &p->maps;

	(void)l;
	m->brk_calls++;
	if (!before || !now)
		return; /* asked where it is */
	if (now > before)
		m->brk_grown += now - before;
	m->brk_current = (int64_t)((uint64_t)m->brk_current + (now - before));
}
