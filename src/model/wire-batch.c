/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVENTS records: what happens often, a few bytes each.
 *
 *   head | [context] | time | [extra] | body          head: kind in the low half,
 *                                                     HEAD_… in the high one
 *
 * A context is a thread of a process and the last address it used. */
#include <errno.h>
#include <string.h>

#include "wire-internal.h"

enum kind {
	KIND_ALLOC,
	KIND_RELEASE,
	KIND_RELEASE_UNDO,
	KIND_REALLOC_BEGIN,
	KIND_REALLOC,
	KIND_FAILED,
	KIND_MAP,
	KIND_UNMAP,
	KIND_REMAP,
	KIND_BRK,
	KIND_CALL,
	KINDS,
};

enum {
	HEAD_KIND = 0x0f,
	HEAD_CONTEXT = 0x10, /* another thread's */
	HEAD_EXTRA = 0x20,   /* something rare follows the time */
	HEAD_BACK = 0x40,    /* the time is earlier than the last one's */
	HEAD_EVEN = 0x80,    /* the address differs by a multiple of 16 */
};

enum {
	EXTRA_PROBE = 1, /* another probe than at the last release */
	EXTRA_MARK = 2,  /* alloc: another mark; release: the block has one */
	EXTRA_KNOWN = 4, /* not RELEASE_KNOWN */
	EXTRA_AT = 8,    /* the stack of the release */
	EXTRA_PRODUCT = 16, /* alloc: two factors were given */
	EXTRA_ALLOCATOR = 32, /* release: of which module the function is */
	EXTRA_ALL = 63,
};

enum { EVENT_MAX = 192 }; /* bytes: KIND_CALL's twelve integers and the head */

static const struct {
	enum event_type type;
	bool release; /* u.release is what it tells */
} kinds[KINDS] = {
	[KIND_ALLOC] = { EV_ALLOC, false },
	[KIND_RELEASE] = { EV_RELEASE, true },
	[KIND_RELEASE_UNDO] = { EV_RELEASE_UNDO, true },
	[KIND_REALLOC_BEGIN] = { EV_REALLOC_BEGIN, true },
	[KIND_REALLOC] = { EV_REALLOC, false },
	[KIND_FAILED] = { EV_FAILED, false },
	[KIND_MAP] = { EV_MAP, false },
	[KIND_UNMAP] = { EV_UNMAP, false },
	[KIND_REMAP] = { EV_REMAP, false },
	[KIND_BRK] = { EV_BRK, false },
	[KIND_CALL] = { EV_CALL, false },
};

static int kind_of(enum event_type type)
{
	switch (type) {
	case EV_ALLOC:         return KIND_ALLOC;
	case EV_RELEASE:       return KIND_RELEASE;
	case EV_RELEASE_UNDO:  return KIND_RELEASE_UNDO;
	case EV_REALLOC_BEGIN: return KIND_REALLOC_BEGIN;
	case EV_REALLOC:       return KIND_REALLOC;
	case EV_FAILED:        return KIND_FAILED;
	case EV_MAP:           return KIND_MAP;
	case EV_UNMAP:         return KIND_UNMAP;
	case EV_REMAP:         return KIND_REMAP;
	case EV_BRK:           return KIND_BRK;
	case EV_CALL:          return KIND_CALL;
	default:               return -1;
	}
}

bool wire_batched(enum event_type type)
{
	return kind_of(type) >= 0;
}

/* The address that the difference to the context's last one is told of. */
static taddr_t main_address(enum kind kind, const struct event *ev)
{
	switch (kind) {
	case KIND_ALLOC:
	case KIND_FAILED:  return ev->u.alloc.addr;
	case KIND_REALLOC: return ev->u.realloc.addr;
	case KIND_CALL:    return ev->u.call.caller;
	case KIND_MAP:
	case KIND_UNMAP:
	case KIND_REMAP:
	case KIND_BRK:     return ev->u.map.addr;
	default:           return ev->u.release.addr;
	}
}

/* -- writing ------------------------------------------------------------------- */

/* The context's number from 1, or 0 for a new one, which replaces the oldest. */
static uint8_t *put_context(uint8_t *at, struct wire_state *s, const struct event *ev)
{
	struct wire_context *c;

	for (unsigned i = 0; i < s->count; i++)
		if (s->context[i].tid == ev->tid && s->context[i].pid == ev->pid) {
			s->current = (uint8_t)i;
			return varint_put(at, i + 1);
		}
	s->current = s->next;
	s->next = (s->next + 1) % WIRE_CONTEXTS;
	s->count = MAX(s->count, s->current + 1);
	c = &s->context[s->current];
	*c = (struct wire_context){ ev->pid, ev->tid, 0 };
	at = varint_put(at, 0);
	at = varint_put(at, (uint32_t)ev->pid);
	return varint_put(at, (uint32_t)ev->tid);
}

static unsigned extra_of(const struct wire_state *s, enum kind kind, const struct event *ev)
{
	unsigned extra = 0;

	if (kind == KIND_ALLOC || kind == KIND_FAILED) {
		extra |= ev->u.alloc.mark != s->mark ? EXTRA_MARK : 0;
		return extra | (ev->u.alloc.product.is_one ? EXTRA_PRODUCT : 0);
	}
	if (!kinds[kind].release)
		return 0;
	extra |= ev->u.release.probe != s->probe ? EXTRA_PROBE : 0;
	extra |= ev->u.release.mark ? EXTRA_MARK : 0;
	extra |= ev->u.release.known != RELEASE_KNOWN ? EXTRA_KNOWN : 0;
	extra |= ev->u.release.at ? EXTRA_AT : 0;
	extra |= ev->u.release.allocator != s->allocator ? EXTRA_ALLOCATOR : 0;
	return extra;
}

static uint8_t *put_product(uint8_t *at, const struct product *p)
{
	at = varint_put(at, p->count);
	return varint_put(at, p->each);
}

static uint8_t *put_alloc_extra(uint8_t *at, struct wire_state *s, unsigned extra,
				const struct event *ev)
{
	if (extra & EXTRA_MARK)
		at = varint_put(at, s->mark = ev->u.alloc.mark);
	return extra & EXTRA_PRODUCT ? put_product(at, &ev->u.alloc.product) : at;
}

static uint8_t *put_extra(uint8_t *at, struct wire_state *s, unsigned extra, const struct event *ev)
{
	at = varint_put(at, extra);
	if (ev->type == EV_ALLOC || ev->type == EV_FAILED)
		return put_alloc_extra(at, s, extra, ev);
	if (extra & EXTRA_PROBE)
		at = varint_put(at, s->probe = ev->u.release.probe);
	if (extra & EXTRA_MARK)
		at = varint_put(at, ev->u.release.mark);
	if (extra & EXTRA_KNOWN)
		at = varint_put(at, ev->u.release.known);
	if (extra & EXTRA_AT)
		at = varint_put(at, ev->u.release.at);
	return extra & EXTRA_ALLOCATOR ? varint_put(at, s->allocator = ev->u.release.allocator) : at;
}

static uint8_t *put_realloc(uint8_t *at, const struct event *ev)
{
	at = varint_put(at, zigzag(ev->u.realloc.old_addr - ev->u.realloc.addr));
	at = varint_put(at, ev->u.realloc.old_size);
	at = varint_put(at, ev->u.realloc.old_stack);
	at = varint_put(at, ev->u.realloc.size);
	at = varint_put(at, ev->u.realloc.stack);
	at = varint_put(at, ev->u.realloc.failed | ev->u.realloc.product.is_one << 1);
	at = varint_put(at, ev->u.realloc.old_mark);
	at = varint_put(at, ev->u.realloc.mark);
	return ev->u.realloc.product.is_one ? put_product(at, &ev->u.realloc.product) : at;
}

static uint8_t *put_map(uint8_t *at, const struct event *ev)
{
	at = varint_put(at, ev->u.map.size);
	at = varint_put(at, ev->u.map.old_addr);
	at = varint_put(at, ev->u.map.old_size);
	return varint_put(at, ev->u.map.stack);
}

static uint8_t *put_call(uint8_t *at, const struct event *ev)
{
	unsigned n = MIN(ev->u.call.nargs, (unsigned)CALL_ARGS);

	at = varint_put(at, ev->u.call.probe);
	at = varint_put(at, n << 1 | ev->u.call.has_result);
	*at++ = ev->u.call.pointers;
	for (unsigned i = 0; i < n; i++)
		at = varint_put(at, ev->u.call.arg[i]);
	if (ev->u.call.has_result)
		at = varint_put(at, ev->u.call.result);
	return varint_put(at, ev->u.call.module);
}

static uint8_t *put_body(uint8_t *at, enum kind kind, const struct event *ev)
{
	switch (kind) {
	case KIND_ALLOC:
	case KIND_FAILED:
		at = varint_put(at, ev->u.alloc.size);
		return varint_put(at, ev->u.alloc.stack);
	case KIND_REALLOC:
		return put_realloc(at, ev);
	case KIND_CALL:
		return put_call(at, ev);
	case KIND_MAP:
	case KIND_UNMAP:
	case KIND_REMAP:
	case KIND_BRK:
		return put_map(at, ev);
	default:
		at = varint_put(at, ev->u.release.size);
		return varint_put(at, ev->u.release.stack);
	}
}

void wire_batch_add(struct wire_encoder *e, const struct event *ev)
{
	enum kind kind = (enum kind)kind_of(ev->type);
	struct wire_state *s = &e->state;
	uint64_t time_us = ev->time_ns / 1000, difference;
	uint8_t bytes[EVENT_MAX], *head = bytes, *at = bytes + 1;
	unsigned extra = extra_of(s, kind, ev);

	*head = (uint8_t)kind;
	if (s->context[s->current].tid != ev->tid || s->context[s->current].pid != ev->pid) {
		*head |= HEAD_CONTEXT;
		at = put_context(at, s, ev);
	}
	if (time_us < s->time_us)
		*head |= HEAD_BACK;
	at = varint_put(at, time_us < s->time_us ? s->time_us - time_us : time_us - s->time_us);
	s->time_us = time_us;
	if (extra) {
		*head |= HEAD_EXTRA;
		at = put_extra(at, s, extra, ev);
	}
	difference = main_address(kind, ev) - s->context[s->current].addr;
	s->context[s->current].addr += difference;
	if (difference % 16 == 0) {
		*head |= HEAD_EVEN;
		difference = (uint64_t)((int64_t)difference / 16);
	}
	at = varint_put(at, zigzag(difference));
	at = put_body(at, kind, ev);
	strbuf_add(e->out, bytes, (size_t)(at - bytes));
}

/* -- reading ------------------------------------------------------------------- */

/* An integer that an event cannot do without; what does not fit ends the record. */
static uint64_t get(struct wire_decoder *d, uint64_t max)
{
	uint64_t v = 0;

	if (d->at)
		d->at = varint_get(d->at, d->end, &v);
	if (v > max)
		d->at = NULL;
	return d->at ? v : 0;
}

static uint32_t get_u32(struct wire_decoder *d)
{
	return (uint32_t)get(d, UINT32_MAX);
}

static void get_context(struct wire_decoder *d)
{
	struct wire_state *s = &d->state;
	uint64_t nr = get(d, s->count);

	if (nr) {
		s->current = (uint8_t)(nr - 1);
		return;
	}
	s->current = s->next;
	s->next = (s->next + 1) % WIRE_CONTEXTS;
	s->count = MAX(s->count, s->current + 1);
	s->context[s->current].pid = (pid_t)get(d, INT32_MAX);
	s->context[s->current].tid = (pid_t)get(d, INT32_MAX);
	s->context[s->current].addr = 0;
}

static void get_time(struct wire_decoder *d, bool back)
{
	uint64_t step = get(d, UINT64_MAX);

	d->state.time_us += back ? 0 - step : step;
	if (d->state.time_us > UINT64_MAX / 1000)
		d->at = NULL;
}

static void get_product(struct wire_decoder *d, struct product *p)
{
	p->is_one = true;
	p->count = get(d, UINT64_MAX);
	p->each = get(d, UINT64_MAX);
}

static void get_extra(struct wire_decoder *d, enum kind kind, struct event *ev)
{
	unsigned extra = (unsigned)get(d, EXTRA_ALL);

	if (kind == KIND_ALLOC || kind == KIND_FAILED) {
		if (extra & EXTRA_MARK)
			d->state.mark = get_u32(d);
		if (extra & EXTRA_PRODUCT)
			get_product(d, &ev->u.alloc.product);
		return;
	}
	if (!kinds[kind].release) {
		d->at = NULL;
		return;
	}
	if (extra & EXTRA_PROBE)
		d->state.probe = (uint16_t)get(d, UINT16_MAX);
	if (extra & EXTRA_MARK)
		ev->u.release.mark = get_u32(d);
	if (extra & EXTRA_KNOWN)
		ev->u.release.known = (uint8_t)get(d, RELEASE_NULL);
	if (extra & EXTRA_AT)
		ev->u.release.at = get_u32(d);
	if (extra & EXTRA_ALLOCATOR)
		d->state.allocator = get_u32(d);
}

static taddr_t get_address(struct wire_decoder *d, bool even)
{
	uint64_t difference = unzigzag(get(d, UINT64_MAX));

	return d->state.context[d->state.current].addr += even ? difference * 16 : difference;
}

static void get_realloc(struct wire_decoder *d, taddr_t addr, struct event *ev)
{
	unsigned flags;

	ev->u.realloc.addr = addr;
	ev->u.realloc.old_addr = addr + unzigzag(get(d, UINT64_MAX));
	ev->u.realloc.old_size = get(d, UINT64_MAX);
	ev->u.realloc.old_stack = get_u32(d);
	ev->u.realloc.size = get(d, UINT64_MAX);
	ev->u.realloc.stack = get_u32(d);
	flags = (unsigned)get(d, 3);
	ev->u.realloc.failed = flags & 1;
	ev->u.realloc.old_mark = get_u32(d);
	ev->u.realloc.mark = get_u32(d);
	if (flags & 2)
		get_product(d, &ev->u.realloc.product);
}

static void get_map(struct wire_decoder *d, taddr_t addr, struct event *ev)
{
	ev->u.map.addr = addr;
	ev->u.map.size = get(d, UINT64_MAX);
	ev->u.map.old_addr = get(d, UINT64_MAX);
	ev->u.map.old_size = get(d, UINT64_MAX);
	ev->u.map.stack = get_u32(d);
}

static void get_call(struct wire_decoder *d, taddr_t caller, struct event *ev)
{
	uint64_t n;

	ev->u.call.caller = caller;
	ev->u.call.probe = (uint16_t)get(d, UINT16_MAX);
	n = get(d, CALL_ARGS << 1 | 1);
	ev->u.call.nargs = (uint8_t)(n >> 1);
	ev->u.call.has_result = n & 1;
	if (!d->at || d->at == d->end) {
		d->at = NULL;
		return;
	}
	ev->u.call.pointers = *d->at++;
	for (unsigned i = 0; i < ev->u.call.nargs; i++)
		ev->u.call.arg[i] = get(d, UINT64_MAX);
	if (ev->u.call.has_result)
		ev->u.call.result = get(d, UINT64_MAX);
	ev->u.call.module = get_u32(d);
}

static void get_body(struct wire_decoder *d, enum kind kind, taddr_t addr, struct event *ev)
{
	switch (kind) {
	case KIND_ALLOC:
	case KIND_FAILED:
		ev->u.alloc.addr = addr;
		ev->u.alloc.size = get(d, UINT64_MAX);
		ev->u.alloc.stack = get_u32(d);
		ev->u.alloc.mark = d->state.mark;
		break;
	case KIND_REALLOC:
		get_realloc(d, addr, ev);
		break;
	case KIND_CALL:
		get_call(d, addr, ev);
		break;
	case KIND_MAP:
	case KIND_UNMAP:
	case KIND_REMAP:
	case KIND_BRK:
		get_map(d, addr, ev);
		break;
	default:
		ev->u.release.addr = addr;
		ev->u.release.size = get(d, UINT64_MAX);
		ev->u.release.stack = get_u32(d);
		ev->u.release.probe = d->state.probe;
		ev->u.release.allocator = d->state.allocator;
	}
}

/* The next event, in d->ev; d->at is NULL when it is none. */
static void get_event(struct wire_decoder *d)
{
	struct event *ev = &d->ev;
	unsigned head = *d->at++, kind = head & HEAD_KIND;

	if (kind >= KINDS) {
		d->at = NULL;
		return;
	}
	memset(&ev->u, 0, sizeof ev->u);
	ev->type = kinds[kind].type;
	if (head & HEAD_CONTEXT)
		get_context(d);
	get_time(d, head & HEAD_BACK);
	if (head & HEAD_EXTRA)
		get_extra(d, (enum kind)kind, ev);
	ev->pid = d->state.context[d->state.current].pid;
	ev->tid = d->state.context[d->state.current].tid;
	ev->time_ns = d->state.time_us * 1000;
	get_body(d, (enum kind)kind, get_address(d, head & HEAD_EVEN), ev);
}

int wire_batch_read(struct wire_decoder *d, const struct wire_record *r,
		    int (*fn)(void *arg, const struct event *ev), void *arg)
{
	int result = 0;

	if (r->pid < 0 || r->tid < 0)
		return -EBADMSG;
	d->at = r->body;
	d->end = r->body + r->len;
	d->state = (struct wire_state){ .count = 1, .next = 1, .context[0] = { r->pid, r->tid, 0 } };
	while (!result && d->at < d->end) {
		get_event(d);
		if (!d->at)
			return -EBADMSG;
		result = fn(arg, &d->ev);
	}
	return result;
}
