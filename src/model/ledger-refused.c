/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last request that was refused, and how things were then. */
#include "ledger-internal.h"

/* To find who holds most, all counts are looked at.  A program may ask again and
 * again, in vain, from thousands of stacks: so each refusal pays for that many of
 * them, and those in between keep what the last look has found. */
#define PAID 2000

static uint64_t bytes_of(const struct heap_count *c)
{
	return (uint64_t)MAX(c->open_bytes, 0);
}

static void insert(struct heap_refused *r, const struct heap_count *c)
{
	uint32_t at = r->owners < HEAP_OWNERS ? r->owners++ : HEAP_OWNERS - 1;

	while (at && r->owner[at - 1].bytes < bytes_of(c)) {
		r->owner[at] = r->owner[at - 1];
		at--;
	}
	r->owner[at] = (struct heap_owner){ c->stack, (uint64_t)MAX(c->open_blocks, 0), bytes_of(c) };
}

static void find_owners(const struct ledger *l, const struct heap_proc *p, struct heap_refused *r)
{
	r->owners = 0;
	for (size_t i = 0; i < p->counts.n; i++) {
		const struct heap_count *c = &p->counts.v[i];
		bool among = r->owners < HEAP_OWNERS ||
			     bytes_of(c) > r->owner[HEAP_OWNERS - 1].bytes;

		if (bytes_of(c) && among && !ledger_stack_maps(l, c->stack))
			insert(r, c);
	}
}

void refused_note(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	struct heap_refused *r = &p->refused;

	r->patience += PAID;
	if (!r->any || r->patience >= p->counts.n) {
		find_owners(l, p, r);
		r->patience = 0;
	}
	r->any = true;
	r->stack = ledger_knows(l, ev->u.alloc.stack) ? ev->u.alloc.stack : 0;
	r->size = ev->u.alloc.size;
	r->product = ev->u.alloc.product;
	r->ns = ev->time_ns;
	r->open_blocks = p->total.open_blocks;
	r->open_bytes = p->total.open_bytes;
	r->oom = (struct heap_oom){ OOM_UNKNOWN, 0, 0 };
}

void refused_why(struct heap_proc *p, const struct event *ev)
{
	struct heap_oom oom = { (enum oom_cause)ev->u.oom.cause, ev->u.oom.limit, ev->u.oom.used };

	if (oom.cause == OOM_CGROUP || oom.cause == OOM_SYSTEM)
		p->killed = oom;
	else if (p->refused.any)
		p->refused.oom = oom;
}

/* The order is part of the wire's format. */
uint32_t refused_read(const struct heap_refused *r, uint64_t *v)
{
	uint32_t n = 0;

	v[n++] = r->stack;
	v[n++] = r->size;
	v[n++] = r->ns;
	v[n++] = r->product.is_one;
	v[n++] = r->product.count;
	v[n++] = r->product.each;
	v[n++] = r->open_blocks;
	v[n++] = r->open_bytes;
	v[n++] = (uint64_t)r->oom.cause;
	v[n++] = r->oom.limit;
	v[n++] = r->oom.used;
	v[n++] = r->patience;
	for (uint32_t i = 0; i < r->owners; i++) {
		v[n++] = r->owner[i].stack;
		v[n++] = r->owner[i].blocks;
		v[n++] = r->owner[i].bytes;
	}
	return n;
}

static void restore_owners(struct ledger *l, struct heap_refused *r, const uint64_t *v, uint32_t n)
{
	for (r->owners = 0; n >= 3 && r->owners < HEAP_OWNERS; n -= 3, v += 3) {
		uint32_t stack = (uint32_t)v[0];

		r->owner[r->owners++] = (struct heap_owner){ ledger_knows(l, stack) ? stack : 0, v[1], v[2] };
	}
}

void refused_restore(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	const uint64_t *v = ev->u.figures.v;
	struct heap_refused *r = &p->refused;
	enum { FIXED = 12 };

	if (ev->u.figures.n < FIXED)
		return;
	*r = (struct heap_refused){
		.any = true,
		.stack = ledger_knows(l, (uint32_t)v[0]) ? (uint32_t)v[0] : 0,
		.size = v[1], .ns = v[2],
		.product = { v[3] != 0, v[4], v[5] },
		.open_blocks = v[6], .open_bytes = v[7],
		.oom = { v[8] <= OOM_DATA ? (enum oom_cause)v[8] : OOM_UNKNOWN, v[9], v[10] },
		.patience = v[11],
	};
	restore_owners(l, r, v + FIXED, ev->u.figures.n - FIXED);
}
