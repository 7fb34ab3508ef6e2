/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hash.h"
#include "base/vec.h"
#include "model/freed.h"

#define NONE UINT32_MAX

struct slot {
	struct freed_block b;
	uint32_t older, newer; /* of a free slot: newer is the next free one */
};

struct freed {
	struct u64map index;
	VEC(struct slot) slots;
	uint32_t oldest, newest, unused;
	uint64_t volume, max_volume;
	size_t max;
};

struct freed *freed_new(uint64_t volume, size_t max)
{
	struct freed *f = xcalloc(1, sizeof *f);

	f->oldest = f->newest = f->unused = NONE;
	f->max_volume = volume;
	f->max = volume ? max : 0;
	return f;
}

void freed_free(struct freed *f)
{
	if (!f)
		return;
	u64map_release(&f->index);
	vec_release(&f->slots);
	free(f);
}

struct freed *freed_copy(const struct freed *from)
{
	struct freed *f;

	if (!from)
		return NULL;
	f = freed_new(from->max_volume, from->max);
	for (uint32_t i = from->oldest; i != NONE; i = from->slots.v[i].newer)
		freed_add(f, &from->slots.v[i].b);
	return f;
}

static void take_out(struct freed *f, uint32_t i)
{
	struct slot *s = &f->slots.v[i];

	*(s->older == NONE ? &f->oldest : &f->slots.v[s->older].newer) = s->newer;
	*(s->newer == NONE ? &f->newest : &f->slots.v[s->newer].older) = s->older;
	f->volume -= s->b.size;
	u64map_del(&f->index, s->b.addr);
	s->newer = f->unused;
	f->unused = i;
}

static uint32_t new_slot(struct freed *f)
{
	uint32_t i = f->unused;

	if (i == NONE) {
		vec_push(&f->slots, (struct slot){ 0 });
		return (uint32_t)f->slots.n - 1;
	}
	f->unused = f->slots.v[i].newer;
	return i;
}

void freed_add(struct freed *f, const struct freed_block *b)
{
	uint32_t i;

	if (!f || !f->max)
		return;
	freed_drop(f, b->addr);
	while (f->index.n >= f->max ||
	       (f->index.n && f->volume > f->max_volume - MIN(b->size, f->max_volume)))
		take_out(f, f->oldest);
	i = new_slot(f);
	f->slots.v[i] = (struct slot){ *b, f->newest, NONE };
	*(f->newest == NONE ? &f->oldest : &f->slots.v[f->newest].newer) = i;
	f->newest = i;
	f->volume += b->size;
	u64map_set(&f->index, b->addr, i);
}

void freed_drop(struct freed *f, taddr_t addr)
{
	uint64_t *at = f ? u64map_get(&f->index, addr) : NULL;

	if (at)
		take_out(f, (uint32_t)*at);
}

bool freed_find(const struct freed *f, taddr_t addr, struct freed_block *out)
{
	const uint64_t *at = f ? u64map_get(&f->index, addr) : NULL;

	if (at)
		*out = f->slots.v[*at].b;
	return at;
}

bool freed_around(const struct freed *f, taddr_t addr, struct freed_block *out)
{
	for (uint32_t i = f ? f->newest : NONE; i != NONE; i = f->slots.v[i].older) {
		const struct freed_block *b = &f->slots.v[i].b;

		if (addr > b->addr && addr - b->addr < b->size) {
			*out = *b;
			return true;
		}
	}
	return false;
}

size_t freed_count(const struct freed *f)
{
	return f ? f->index.n : 0;
}
