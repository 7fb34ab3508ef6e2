/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records, and those of one event each. */
#include <errno.h>
#include <string.h>

#include "wire-internal.h"

#define MAGIC "mtrace\r\n" /* shows up when something has converted line ends */
enum { MAGIC_LEN = 8 };

static const uint16_t wire_types[] = {
	[EV_PROC] = WIRE_PROC,
	[EV_PROC_END] = WIRE_PROC_END,
	[EV_TASK] = WIRE_TASK,
	[EV_MODULE] = WIRE_MODULE,
	[EV_MODULE_GONE] = WIRE_MODULE_GONE,
	[EV_PROBE] = WIRE_PROBE,
	[EV_STACK] = WIRE_STACK,
	[EV_NOTE] = WIRE_NOTE,
	[EV_SCAN_BEGIN] = WIRE_SCAN_BEGIN,
	[EV_LEAK] = WIRE_LEAK,
	[EV_LEAK_BLOCK] = WIRE_LEAK_BLOCK,
	[EV_LEAK_WHY] = WIRE_LEAK_WHY,
	[EV_SCAN] = WIRE_SCAN,
	[EV_CENSUS] = WIRE_CENSUS,
	[EV_MARK] = WIRE_MARK,
	[EV_ERROR] = WIRE_ERROR,
	[EV_WHY] = WIRE_WHY,
	[EV_IMAGE] = WIRE_IMAGE,
	[EV_BLOCK] = WIRE_BLOCK,
	[EV_STATE_OLDER] = WIRE_STATE_OLDER,
	[EV_STATE_PROC] = WIRE_STATE_PROC,
	[EV_STATE_COUNT] = WIRE_STATE_COUNT,
	[EV_STATE_REGION] = WIRE_STATE_REGION,
	[EV_STATE_AGED] = WIRE_STATE_AGED,
	[EV_STATE_ERROR] = WIRE_STATE_ERROR,
	[EV_STATE_SUSPECT] = WIRE_STATE_SUSPECT,
	[EV_RESET] = WIRE_RESET,
	[EV_STACK_REST] = WIRE_STACK_REST,
	[EV_ROWS_WANTED] = WIRE_ROWS_WANTED,
	[EV_ROWS_GIVEN] = WIRE_ROWS_GIVEN,
	[EV_HEAP] = WIRE_HEAP,
	[EV_PLACE] = WIRE_PLACE,
	[EV_TARGET] = WIRE_TARGET,
	[EV_OOM] = WIRE_OOM,
	[EV_STATE_REFUSED] = WIRE_STATE_REFUSED,
};

static void put_le(uint8_t *p, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

static uint64_t get_le(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

/* -- writing ------------------------------------------------------------------- */

/* The header, with a length that end_record() fills in.  Where it begins. */
static size_t begin_record(struct wire_encoder *e, unsigned type, pid_t pid, pid_t tid)
{
	size_t at = e->out->n;
	uint8_t header[WIRE_HEADER];

	put_le(header, 0, 4);
	put_le(header + 4, type, 2);
	put_le(header + 6, 0, 2);
	put_le(header + 8, (uint32_t)pid, 4);
	put_le(header + 12, (uint32_t)tid, 4);
	strbuf_add(e->out, header, sizeof header);
	return at;
}

static void end_record(struct wire_encoder *e, size_t at)
{
	put_le((uint8_t *)e->out->s + at, e->out->n - at - WIRE_HEADER, 4);
}

void wire_close(struct wire_encoder *e)
{
	if (!e->open)
		return;
	end_record(e, e->at);
	e->open = false;
}

static void encode_batched(struct wire_encoder *e, const struct event *ev)
{
	if (!e->open) {
		e->at = begin_record(e, WIRE_EVENTS, ev->pid, ev->tid);
		e->state = (struct wire_state){ .count = 1, .next = 1,
						.context[0] = { ev->pid, ev->tid, 0 } };
		e->open = true;
	}
	wire_batch_add(e, ev);
	if (e->out->n - e->at >= WIRE_BATCH)
		wire_close(e);
}

void wire_encode(struct wire_encoder *e, const struct event *ev)
{
	struct fields f = { .out = e->out };
	struct event copy = *ev; /* the fields are written by what reads them too */
	uint64_t time_us = ev->time_ns / 1000;
	size_t at;

	if (wire_batched(ev->type)) {
		encode_batched(e, ev);
		return;
	}
	wire_close(e);
	at = begin_record(e, wire_types[ev->type], ev->pid, ev->tid);
	field_u64(&f, &time_us);
	wire_fields(&f, NULL, &copy);
	end_record(e, at);
}

void wire_encode_record(struct wire_encoder *e, enum wire_type type, const void *body, size_t n)
{
	size_t at;

	wire_close(e);
	at = begin_record(e, type, 0, 0);
	strbuf_add(e->out, body, n);
	end_record(e, at);
}

/* The version stands in a fixed place, whatever becomes of the rest. */
void wire_encode_hello(struct wire_encoder *e, const struct wire_hello *h)
{
	struct fields f = { .out = e->out };
	struct wire_hello copy = *h;
	uint8_t version[4];
	size_t at;

	wire_close(e);
	at = begin_record(e, WIRE_HELLO, 0, 0);
	strbuf_add(e->out, MAGIC, MAGIC_LEN);
	put_le(version, WIRE_VERSION, sizeof version);
	strbuf_add(e->out, version, sizeof version);
	FIELD_U64(&f, copy.wall_us);
	FIELD_U64(&f, copy.clock_us);
	field_string(&f, &copy.tool);
	field_string(&f, &copy.host);
	field_string(&f, &copy.cwd);
	copy.nwords = MIN(copy.nwords, (uint32_t)WIRE_MAX_WORDS);
	FIELD_U32(&f, copy.nwords);
	FIELD_U32(&f, copy.command);
	for (uint32_t i = 0; i < copy.nwords; i++)
		field_string(&f, (const char **)&copy.words[i]);
	FIELD_BOOL(&f, copy.token);
	end_record(e, at);
}

/* -- reading ------------------------------------------------------------------- */

ssize_t wire_next(const void *bytes, size_t n, struct wire_record *r)
{
	const uint8_t *p = bytes;

	if (n < WIRE_HEADER)
		return 0;
	r->len = get_le(p, 4);
	if (r->len > WIRE_MAX_BODY)
		return -EBADMSG;
	if (n - WIRE_HEADER < r->len)
		return 0;
	r->type = (uint16_t)get_le(p + 4, 2);
	r->flags = (uint16_t)get_le(p + 6, 2);
	r->pid = (pid_t)get_le(p + 8, 4);
	r->tid = (pid_t)get_le(p + 12, 4);
	r->body = p + WIRE_HEADER;
	return (ssize_t)(WIRE_HEADER + r->len);
}

void wire_decoder_release(struct wire_decoder *d)
{
	vec_release(&d->pc);
	vec_release(&d->module);
	vec_release(&d->exact);
	vec_release(&d->origin);
	vec_release(&d->words);
}

static void read_words(struct fields *f, struct wire_decoder *d, struct wire_hello *h)
{
	d->words.n = 0;
	for (uint32_t i = 0; i < h->nwords && !f->bad; i++) {
		const char *word;

		field_string(f, &word);
		f->bad |= !word;
		vec_push(&d->words, word);
	}
	vec_push(&d->words, NULL);
	h->words = d->words.v;
}

int wire_decode_hello(struct wire_decoder *d, const struct wire_record *r, struct wire_hello *h)
{
	struct fields f = { .at = r->body, .end = r->body + r->len };

	if (r->type != WIRE_HELLO || r->len < MAGIC_LEN + 4 || memcmp(r->body, MAGIC, MAGIC_LEN))
		return -EBADMSG;
	*h = (struct wire_hello){ .version = (uint32_t)get_le(r->body + MAGIC_LEN, 4) };
	if (h->version != WIRE_VERSION)
		return -EPROTONOSUPPORT;
	f.at += MAGIC_LEN + 4;
	FIELD_U64(&f, h->wall_us);
	FIELD_U64(&f, h->clock_us);
	field_string(&f, &h->tool);
	field_string(&f, &h->host);
	field_string(&f, &h->cwd);
	FIELD_MAX(&f, h->nwords, WIRE_MAX_WORDS);
	FIELD_U32(&f, h->command);
	read_words(&f, d, h);
	FIELD_BOOL(&f, h->token);
	return f.bad ? -EBADMSG : 0;
}

static int event_type_of(uint16_t wire_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(wire_types); i++)
		if (wire_type && wire_types[i] == wire_type)
			return (int)i;
	return -1;
}

int wire_decode(struct wire_decoder *d, const struct wire_record *r,
		int (*fn)(void *arg, const struct event *ev), void *arg)
{
	struct fields f = { .at = r->body, .end = r->body + r->len };
	int type = event_type_of(r->type);
	uint64_t time_us;

	if (r->type == WIRE_EVENTS)
		return wire_batch_read(d, r, fn, arg);
	if (type < 0)
		return 0;
	memset(&d->ev, 0, sizeof d->ev);
	d->ev.type = (enum event_type)type;
	d->ev.pid = r->pid;
	d->ev.tid = r->tid;
	field_max(&f, &time_us, UINT64_MAX / 1000);
	d->ev.time_ns = time_us * 1000;
	wire_fields(&f, d, &d->ev);
	if (f.bad || r->pid < 0 || r->tid < 0)
		return -EBADMSG;
	return fn(arg, &d->ev);
}
