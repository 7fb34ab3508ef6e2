/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hash.h"
#include "trace/census-group.h"
#include "trace/recorder.h"

/* Larger sizes are grouped by powers of two. */
#define MAX_EXACT 4096
/* What blocks of one size must have in common to be a group, unless it is a
 * vtable. */
#define MIN_ALIKE 4

struct grouping {
	struct proc *p;
	uint16_t probe;
	struct u64map groups; /* key → index into v */
	struct u64map alike;  /* size and word → how many have both */
	struct u64map vtables; /* word → is it a vtable's address? */
	VEC(struct event) v;
};

/* A block's module, when its first word points into one. */
static const struct module *pointed(struct proc *p, uint64_t word)
{
	const struct module *m = word ? modules_find(&p->modules, word) : NULL;

	return m && !m->is_vdso ? m : NULL;
}

/* A vtable holds addresses of functions; its pointer points behind its head. */
static bool is_vtable(struct grouping *g, const struct module *in, taddr_t word)
{
	uint64_t *known = u64map_get(&g->vtables, word), target;
	const struct module *m;
	bool is = false;

	if (known)
		return *known;
	if (!(word & (g->p->abi->word - 1u)) && !(word >= in->text_start && word < in->text_end) &&
	    !proc_read_word(g->p, word, &target)) {
		m = modules_find(&g->p->modules, target);
		is = m && target >= m->text_start && target < m->text_end;
	}
	u64map_set(&g->vtables, word, is);
	return is;
}

static uint64_t size_and_word(const struct glibc_block *b)
{
	return hash_u64(hash_u64(b->usable) ^ b->first);
}

static void count_alike(struct grouping *g, const struct glibc_block *b)
{
	uint64_t key = size_and_word(b), *n;

	if (!pointed(g->p, b->first))
		return;
	n = u64map_get(&g->alike, key);
	u64map_set(&g->alike, key, n ? *n + 1 : 1);
}

static uint64_t size_class(uint64_t size)
{
	return size <= MAX_EXACT ? size : (uint64_t)1 << (63 - __builtin_clzll(size));
}

static struct event *group_of(struct grouping *g, const struct glibc_block *b)
{
	const struct module *m = pointed(g->p, b->first);
	uint64_t key = hash_u64(size_class(b->usable)), *at;
	struct event ev = { .type = EV_CENSUS };

	if (m && (is_vtable(g, m, b->first) ||
		  *u64map_get(&g->alike, size_and_word(b)) >= MIN_ALIKE)) {
		key = size_and_word(b);
		ev.u.census.word = b->first;
		ev.u.census.module = m->id;
	}
	at = u64map_get(&g->groups, key);
	if (at)
		return &g->v.v[*at];
	ev.u.census.stack = recorder_no_stack(g->p->session->recorder, g->p, g->probe);
	ev.u.census.min_size = UINT64_MAX;
	u64map_set(&g->groups, key, g->v.n);
	vec_push(&g->v, ev);
	return &g->v.v[g->v.n - 1];
}

static void add(struct grouping *g, const struct glibc_block *b)
{
	struct event *ev = group_of(g, b);

	ev->u.census.blocks++;
	ev->u.census.bytes += b->usable;
	ev->u.census.min_size = MIN(ev->u.census.min_size, b->usable);
	ev->u.census.max_size = MAX(ev->u.census.max_size, b->usable);
	openset_add(g->p->open, &(struct open_block){ b->addr, b->usable, ev->u.census.stack, 0 },
		    NULL);
}

static uint16_t older_probe(struct proc *p)
{
	struct probe_set *ps = p->session->probes;
	size_t i = 0;

	while (i < ps->probe.n && !(ps->probe.v[i].flags & PROBE_OLDER))
		i++;
	recorder_probe(p->session->recorder, p, (uint16_t)i, &ps->probe.v[i]);
	return (uint16_t)i;
}

uint64_t census_take_in(struct proc *p, const struct glibc_heap *h, const struct u64map *skip,
			uint64_t *bytes)
{
	struct grouping g = { .p = p, .probe = older_probe(p) };
	uint64_t blocks = 0;
	struct open_block known;

	for (size_t i = 0; i < h->blocks.n; i++)
		count_alike(&g, &h->blocks.v[i]);
	for (size_t i = 0; i < h->blocks.n; i++)
		if (!u64map_get(skip, h->blocks.v[i].addr) &&
		    !openset_find(p->open, h->blocks.v[i].addr, &known) &&
		    record_has_room(p, h->blocks.v[i].addr))
			add(&g, &h->blocks.v[i]);
	*bytes = 0;
	if (!g.v.n) /* that there are none is told too */
		vec_push(&g.v, (struct event){ .type = EV_CENSUS });
	for (size_t i = 0; i < g.v.n; i++) {
		blocks += g.v.v[i].u.census.blocks;
		*bytes += g.v.v[i].u.census.bytes;
		record_census(p, &g.v.v[i]);
	}
	u64map_release(&g.groups);
	u64map_release(&g.alike);
	u64map_release(&g.vtables);
	vec_release(&g.v);
	return blocks;
}
