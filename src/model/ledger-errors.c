/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heap errors: the distinct ones are kept, all are counted. */
#include <string.h>

#include "base/xalloc.h"
#include "ledger-internal.h"

#define MAX_ERRORS 10000
#define MAX_SUSPECTS 10000

static uint64_t key_of(const struct event *ev)
{
	return hash_u64((uint64_t)ev->u.error.at << 32 | ev->u.error.stack) ^
	       hash_u64((uint64_t)ev->u.error.freed << 8 | ev->u.error.kind);
}

static void count_error(struct heap_proc *p, enum error_kind kind)
{
	if (kind == ERROR_FISHY_SIZE)
		return;
	p->nerrors++;
	p->unknown_errors += kind == ERROR_DOUBLE_FREE || kind == ERROR_INVALID_FREE;
}

/* Seen `count` times more. */
static void keep_error(struct heap_proc *p, const struct event *ev, uint64_t count)
{
	uint64_t key = key_of(ev), *at = u64map_get(&p->by_error, key);
	struct heap_error *e;

	if (at) {
		p->errors.v[*at].count += count;
		return;
	}
	if (p->errors.n == MAX_ERRORS)
		return;
	u64map_set(&p->by_error, key, p->errors.n);
	vec_push(&p->errors, (struct heap_error){
		.kind = ev->u.error.kind,
		.place = ev->u.error.place,
		.count = count,
		.addr = ev->u.error.addr,
		.size = ev->u.error.size,
		.given = ev->u.error.given,
		.offset = ev->u.error.offset,
		.at = ev->u.error.at,
		.stack = ev->u.error.stack,
		.freed = ev->u.error.freed,
		.module = ev->u.error.module,
		.path = ev->u.error.path ? xstrdup(ev->u.error.path) : NULL,
		.first_ns = ev->time_ns,
		.ndata = MIN(ev->u.error.ndata, (uint8_t)HEAP_ERROR_DATA),
	});
	e = &p->errors.v[p->errors.n - 1];
	if (e->ndata)
		memcpy(e->data, ev->u.error.data, e->ndata);
}

void error_add(struct heap_proc *p, const struct event *ev)
{
	count_error(p, ev->u.error.kind);
	p->told.tid = ev->tid;
	p->told.addr = ev->u.error.addr;
	keep_error(p, ev, 1);
}

void error_restore(struct heap_proc *p, const struct event *ev)
{
	keep_error(p, ev, ev->u.error.count);
}

/* The two come at the same stop. */
bool error_was_told(struct heap_proc *p, const struct event *ev)
{
	return p->told.tid == ev->tid && p->told.addr == ev->u.release.addr;
}

void error_suspect(struct heap_suspects *s, uint32_t stack, uint32_t allocator, int n)
{
	uint64_t *at = stack ? u64map_get(&s->by_stack, stack) : NULL;

	if (at)
		s->v.v[*at].count += (uint64_t)n;
	else if (n > 0)
		suspect_restore(s, &(struct heap_suspect){ stack, allocator, 1 });
}

void suspect_restore(struct heap_suspects *s, const struct heap_suspect *one)
{
	if (!one->stack || s->v.n == MAX_SUSPECTS || u64map_get(&s->by_stack, one->stack))
		return;
	u64map_set(&s->by_stack, one->stack, s->v.n);
	vec_push(&s->v, *one);
}

void errors_release(struct heap_proc *p)
{
	for (size_t i = 0; i < p->errors.n; i++)
		free(p->errors.v[i].path);
	vec_release(&p->errors);
	vec_release(&p->unseen.v);
	vec_release(&p->unknown.v);
	u64map_release(&p->unseen.by_stack);
	u64map_release(&p->unknown.by_stack);
	u64map_release(&p->by_error);
}
