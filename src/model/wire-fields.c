/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bodies of the records that tell one event each.  One function for both
 * directions: what is written is what is read. */
#include <string.h>

#include "wire-internal.h"

void field_u64(struct fields *f, uint64_t *v)
{
	uint8_t bytes[VARINT_MAX];

	if (f->out) {
		strbuf_add(f->out, bytes, (size_t)(varint_put(bytes, *v) - bytes));
		return;
	}
	*v = 0;
	if (f->bad || f->at == f->end) /* an older writer did not know it */
		return;
	f->at = varint_get(f->at, f->end, v);
	if (!f->at) {
		f->at = f->end;
		f->bad = true;
	}
}

void field_max(struct fields *f, uint64_t *v, uint64_t max)
{
	field_u64(f, v);
	if (!f->out && *v > max) {
		f->bad = true;
		*v = 0;
	}
}

/* n bytes of the body, NULL when there are not as many left. */
static const uint8_t *take(struct fields *f, uint64_t n)
{
	const uint8_t *p = f->at;

	if (f->bad || n > (uint64_t)(f->end - f->at)) {
		f->bad = true;
		return NULL;
	}
	f->at += n;
	return p;
}

void field_string(struct fields *f, const char **s)
{
	uint64_t n = f->out && *s ? strlen(*s) + 1 : 0;

	field_u64(f, &n);
	if (f->out) {
		strbuf_add(f->out, *s ? *s : "", n);
		return;
	}
	*s = n ? (const char *)take(f, n) : NULL;
	if (*s && memchr(*s, '\0', n) != *s + n - 1) {
		f->bad = true;
		*s = NULL;
	}
}

void field_bytes(struct fields *f, const uint8_t **p, uint32_t *n, uint32_t max)
{
	if (f->out && !*p)
		*n = 0;
	FIELD_MAX(f, *n, max);
	if (f->out)
		strbuf_add(f->out, *p, *n);
	else
		*p = *n ? take(f, *n) : NULL;
	if (!*p)
		*n = 0;
}

static void few_bytes(struct fields *f, const uint8_t **p, uint8_t *n)
{
	uint32_t wide = *n;

	field_bytes(f, p, &wide, UINT8_MAX);
	*n = (uint8_t)wide;
}

static void proc_fields(struct fields *f, struct event *ev)
{
	FIELD_MAX(f, ev->u.proc.how, PROC_EXECED);
	FIELD_PID(f, ev->u.proc.ppid);
	field_string(f, &ev->u.proc.exe);
	field_string(f, &ev->u.proc.name);
	FIELD_U8(f, ev->u.proc.word);
	field_string(f, &ev->u.proc.abi);
	if (!f->out || ev->u.proc.log) /* logs of what is traced stay as they were */
		FIELD_MAX(f, ev->u.proc.log, PROC_LOG_LIVE);
	f->bad |= ev->u.proc.word != 4 && ev->u.proc.word != 8;
	f->bad |= !ev->u.proc.exe;
}

static void module_fields(struct fields *f, struct event *ev)
{
	FIELD_U32(f, ev->u.module.id);
	FIELD_U64(f, ev->u.module.start);
	FIELD_U64(f, ev->u.module.end);
	FIELD_U64(f, ev->u.module.bias);
	field_string(f, &ev->u.module.path);
	few_bytes(f, &ev->u.module.build_id, &ev->u.module.build_id_len);
	FIELD_U64(f, ev->u.module.dev);
	FIELD_U64(f, ev->u.module.ino);
	f->bad |= ev->type == EV_MODULE && !ev->u.module.path;
}

static void place_fields(struct fields *f, struct event *ev)
{
	FIELD_U32(f, ev->u.place.module);
	FIELD_U64(f, ev->u.place.vaddr);
	field_string(f, &ev->u.place.file);
	field_string(f, &ev->u.place.function);
	FIELD_U32(f, ev->u.place.line);
	field_string(f, &ev->u.place.variable);
}

static void target_fields(struct fields *f, struct event *ev)
{
	FIELD_MAX(f, ev->u.target.said, TARGET_SAID);
	FIELD_U8(f, ev->u.target.header);
	FIELD_U64(f, ev->u.target.start);
	FIELD_U64(f, ev->u.target.size);
	FIELD_U64(f, ev->u.target.free);
	FIELD_U64(f, ev->u.target.used);
	FIELD_U64(f, ev->u.target.threshold);
}

static void image_fields(struct fields *f, struct event *ev)
{
	FIELD_U32(f, ev->u.image.module);
	FIELD_U64(f, ev->u.image.bias);
	FIELD_MAX(f, ev->u.image.size, IMAGE_MAX);
	FIELD_MAX(f, ev->u.image.offset, IMAGE_MAX);
	field_bytes(f, &ev->u.image.data, &ev->u.image.ndata, IMAGE_PART);
	f->bad |= ev->u.image.ndata > ev->u.image.size ||
		  ev->u.image.offset > ev->u.image.size - ev->u.image.ndata;
}

static void block_fields(struct fields *f, struct event *ev)
{
	FIELD_U64(f, ev->u.alloc.addr);
	FIELD_U64(f, ev->u.alloc.size);
	FIELD_U32(f, ev->u.alloc.stack);
	FIELD_U32(f, ev->u.alloc.mark);
}

static void probe_fields(struct fields *f, struct event *ev)
{
	FIELD_U16(f, ev->u.probe.id);
	FIELD_MAX(f, ev->u.probe.op, OP_BRK);
	FIELD_MAX(f, ev->u.probe.family, FAMILY_CUSTOM);
	field_string(f, &ev->u.probe.name);
	field_string(f, &ev->u.probe.symbol);
	FIELD_BOOL(f, ev->u.probe.size_first);
	f->bad |= !ev->u.probe.name;
}

/* Room for the frames of a stack; a frame takes two bytes at least. */
static bool frames_fit(struct fields *f, struct wire_decoder *d, uint32_t n)
{
	if (n > (size_t)(f->end - f->at) / 2) {
		f->bad = true;
		return false;
	}
	vec_reserve(&d->pc, n);
	vec_reserve(&d->module, n);
	vec_reserve(&d->exact, n);
	return true;
}

static void read_frames(struct fields *f, struct wire_decoder *d, uint32_t n)
{
	taddr_t last = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t difference, module;

		field_u64(f, &difference);
		field_max(f, &module, (uint64_t)UINT32_MAX << 1 | 1);
		d->pc.v[i] = last += unzigzag(difference);
		d->module.v[i] = (uint32_t)(module >> 1);
		d->exact.v[i] = module & 1;
	}
}

static void write_frames(struct fields *f, const struct event *ev)
{
	taddr_t last = 0;

	for (uint32_t i = 0; i < ev->u.stack.n; i++) {
		uint64_t difference = zigzag(ev->u.stack.pc[i] - last);
		uint64_t module = ev->u.stack.module ? (uint64_t)ev->u.stack.module[i] << 1 : 0;

		module |= ev->u.stack.exact && ev->u.stack.exact[i];
		field_u64(f, &difference);
		field_u64(f, &module);
		last = ev->u.stack.pc[i];
	}
}

/* Frames that follow each other and were found in the same way, as many << 4, + how. */
static uint64_t origin_run(const struct event *ev, uint32_t at)
{
	uint32_t n = 1;

	while (at + n < ev->u.stack.n && ev->u.stack.origin[at + n] == ev->u.stack.origin[at])
		n++;
	return (uint64_t)n << 4 | (ev->u.stack.origin[at] & 15);
}

static uint32_t count_runs(const struct event *ev)
{
	uint32_t runs = 0;

	for (uint32_t i = 0; ev->u.stack.origin && i < ev->u.stack.n; runs++)
		i += (uint32_t)(origin_run(ev, i) >> 4);
	return runs;
}

static void write_origins(struct fields *f, const struct event *ev)
{
	for (uint32_t i = 0; ev->u.stack.origin && i < ev->u.stack.n;) {
		uint64_t run = origin_run(ev, i);

		field_u64(f, &run);
		i += (uint32_t)(run >> 4);
	}
}

static void read_origins(struct fields *f, struct wire_decoder *d, struct event *ev, uint32_t runs)
{
	uint32_t at = 0;

	vec_reserve(&d->origin, ev->u.stack.n);
	for (uint64_t run; runs && !f->bad; runs--) {
		field_u64(f, &run);
		f->bad |= !(run >> 4) || run >> 4 > ev->u.stack.n - at;
		if (f->bad)
			return;
		memset(d->origin.v + at, run & 15, run >> 4);
		at += (uint32_t)(run >> 4);
	}
	f->bad |= at != ev->u.stack.n;
	ev->u.stack.origin = d->origin.v;
}

static void stack_fields(struct fields *f, struct wire_decoder *d, struct event *ev)
{
	uint32_t runs = f->out ? count_runs(ev) : 0;

	FIELD_U32(f, ev->u.stack.id);
	FIELD_U16(f, ev->u.stack.probe);
	FIELD_MAX(f, ev->u.stack.end, STACK_BROKEN);
	FIELD_MAX(f, runs, WIRE_MAX_FRAMES);
	FIELD_MAX(f, ev->u.stack.n, WIRE_MAX_FRAMES);
	if (f->out) {
		write_frames(f, ev);
		write_origins(f, ev);
		return;
	}
	if (f->bad || !frames_fit(f, d, ev->u.stack.n))
		return;
	read_frames(f, d, ev->u.stack.n);
	ev->u.stack.pc = d->pc.v;
	ev->u.stack.module = d->module.v;
	ev->u.stack.exact = d->exact.v;
	if (runs)
		read_origins(f, d, ev, runs);
}

static void rest_fields(struct fields *f, struct wire_decoder *d, struct event *ev)
{
	FIELD_U32(f, ev->u.rest.stack);
	FIELD_U16(f, ev->u.rest.machine);
	FIELD_U8(f, ev->u.rest.class);
	FIELD_U8(f, ev->u.rest.data);
	FIELD_BOOL(f, ev->u.rest.exact);
	FIELD_U64(f, ev->u.rest.code);
	FIELD_U64(f, ev->u.rest.sp);
	FIELD_U32(f, ev->u.rest.depth);
	FIELD_U64(f, ev->u.rest.known);
	for (unsigned i = 0; i < REST_REGS; i++) {
		uint64_t v = f->out && ev->u.rest.known >> i & 1 ? ev->u.rest.reg[i] : 0;

		if (ev->u.rest.known >> i & 1)
			field_u64(f, &v);
		if (!f->out)
			d->figures[i] = v;
	}
	if (!f->out)
		ev->u.rest.reg = d->figures;
	field_bytes(f, &ev->u.rest.bytes, &ev->u.rest.nbytes, REST_BYTES);
}

static void rows_fields(struct fields *f, struct event *ev)
{
	few_bytes(f, &ev->u.rows.build_id, &ev->u.rows.build_id_len);
	field_string(f, &ev->u.rows.path);
	FIELD_U64(f, ev->u.rows.size);
	f->bad |= !ev->u.rows.build_id || !ev->u.rows.path;
}

static void leak_fields(struct fields *f, struct event *ev)
{
	FIELD_U32(f, ev->u.leak.stack);
	FIELD_MAX(f, ev->u.leak.kind, LEAK_KINDS - 1);
	FIELD_U32(f, ev->u.leak.under);
	FIELD_U64(f, ev->u.leak.blocks);
	FIELD_U64(f, ev->u.leak.bytes);
	FIELD_U64(f, ev->u.leak.largest);
	FIELD_U64(f, ev->u.leak.largest_size);
	few_bytes(f, &ev->u.leak.data, &ev->u.leak.ndata);
}

static void why_fields(struct fields *f, struct event *ev)
{
	FIELD_U32(f, ev->u.why.stack);
	FIELD_MAX(f, ev->u.why.kind, LEAK_KINDS - 1);
	FIELD_U32(f, ev->u.why.step);
	FIELD_U32(f, ev->u.why.steps);
	FIELD_MAX(f, ev->u.why.from, FROM_BLOCK);
	FIELD_U64(f, ev->u.why.at);
	FIELD_U32(f, ev->u.why.module);
	FIELD_PID(f, ev->u.why.tid);
	FIELD_U64(f, ev->u.why.block);
	FIELD_U64(f, ev->u.why.size);
	FIELD_U32(f, ev->u.why.block_stack);
	FIELD_U64(f, ev->u.why.offset);
}

static void asked_fields(struct fields *f, struct event *ev)
{
	FIELD_U64(f, ev->u.asked.addr);
	FIELD_BOOL(f, ev->u.asked.found);
	FIELD_MAX(f, ev->u.asked.kind, LEAK_KINDS - 1);
	FIELD_U64(f, ev->u.asked.block);
	FIELD_U64(f, ev->u.asked.size);
	FIELD_U32(f, ev->u.asked.stack);
	FIELD_U64(f, ev->u.asked.holder);
}

static void scan_fields(struct fields *f, struct event *ev)
{
	FIELD_BOOL(f, ev->u.scan.references);
	FIELD_BOOL(f, ev->u.scan.final);
	FIELD_BOOL(f, ev->u.scan.mappings);
	FIELD_U64(f, ev->u.scan.blocks);
	FIELD_U64(f, ev->u.scan.bytes);
	FIELD_U64(f, ev->u.scan.unread);
	FIELD_U64(f, ev->u.scan.pause_ns);
}

static void census_fields(struct fields *f, struct event *ev)
{
	FIELD_U32(f, ev->u.census.stack);
	FIELD_U64(f, ev->u.census.blocks);
	FIELD_U64(f, ev->u.census.bytes);
	FIELD_U64(f, ev->u.census.min_size);
	FIELD_U64(f, ev->u.census.max_size);
	FIELD_U64(f, ev->u.census.word);
	FIELD_U32(f, ev->u.census.module);
}

static void error_fields(struct fields *f, struct event *ev)
{
	FIELD_MAX(f, ev->u.error.kind, ERROR_FISHY_SIZE);
	FIELD_MAX(f, ev->u.error.place, PLACE_NOWHERE);
	FIELD_U64(f, ev->u.error.addr);
	FIELD_U64(f, ev->u.error.size);
	FIELD_U64(f, ev->u.error.given);
	FIELD_U64(f, ev->u.error.offset);
	FIELD_U32(f, ev->u.error.at);
	FIELD_U32(f, ev->u.error.stack);
	FIELD_U32(f, ev->u.error.freed);
	FIELD_U32(f, ev->u.error.module);
	field_string(f, &ev->u.error.path);
	few_bytes(f, &ev->u.error.data, &ev->u.error.ndata);
	if (ev->type == EV_STATE_ERROR)
		FIELD_U64(f, ev->u.error.count);
}

static void few_numbers(struct fields *f, struct wire_decoder *d, const uint64_t **v, uint32_t *n)
{
	FIELD_MAX(f, *n, STATE_FIGURES);
	for (uint32_t i = 0; i < *n; i++) {
		uint64_t number = f->out ? (*v)[i] : 0;

		field_u64(f, &number);
		if (!f->out)
			d->figures[i] = number;
	}
	if (!f->out)
		*v = d->figures;
}

static void heap_fields(struct fields *f, struct wire_decoder *d, struct event *ev)
{
	_Static_assert((int)HEAP_RUNS <= (int)STATE_FIGURES, "room in the decoder");

	FIELD_U32(f, ev->u.heap.nr);
	FIELD_U8(f, ev->u.heap.kind);
	FIELD_U32(f, ev->u.heap.arena);
	FIELD_U64(f, ev->u.heap.start);
	FIELD_U64(f, ev->u.heap.size);
	FIELD_U64(f, ev->u.heap.lead);
	FIELD_U32(f, ev->u.heap.header);
	FIELD_U32(f, ev->u.heap.align);
	FIELD_U32(f, ev->u.heap.min);
	FIELD_U32(f, ev->u.heap.page);
	few_numbers(f, d, &ev->u.heap.runs, &ev->u.heap.nruns);
}

static void oom_fields(struct fields *f, struct event *ev)
{
	FIELD_MAX(f, ev->u.oom.cause, OOM_CAUSES - 1);
	FIELD_U64(f, ev->u.oom.limit);
	FIELD_U64(f, ev->u.oom.used);
}

static void end_fields(struct fields *f, struct event *ev)
{
	FIELD_MAX(f, ev->u.end.how, END_RUNNING);
	FIELD_MAX(f, ev->u.end.status, INT32_MAX);
}

static void note_fields(struct fields *f, struct event *ev)
{
	FIELD_BOOL(f, ev->u.note.bad);
	field_string(f, &ev->u.note.text);
	f->bad |= !ev->u.note.text;
}

void wire_fields(struct fields *f, struct wire_decoder *d, struct event *ev)
{
	switch (ev->type) {
	case EV_PROC:        proc_fields(f, ev); break;
	case EV_PROC_END:    end_fields(f, ev); break;
	case EV_MODULE:
	case EV_MODULE_GONE: module_fields(f, ev); break;
	case EV_BLOCK:       block_fields(f, ev); break;
	case EV_IMAGE:       image_fields(f, ev); break;
	case EV_PROBE:       probe_fields(f, ev); break;
	case EV_STACK:       stack_fields(f, d, ev); break;
	case EV_STACK_REST:  rest_fields(f, d, ev); break;
	case EV_ROWS_WANTED:
	case EV_ROWS_GIVEN:  rows_fields(f, ev); break;
	case EV_NOTE:        note_fields(f, ev); break;
	case EV_PLACE:       place_fields(f, ev); break;
	case EV_TARGET:        target_fields(f, ev); break;
	case EV_LEAK:
	case EV_LEAK_BLOCK:  leak_fields(f, ev); break;
	case EV_LEAK_WHY:    why_fields(f, ev); break;
	case EV_SCAN:        scan_fields(f, ev); break;
	case EV_CENSUS:      census_fields(f, ev); break;
	case EV_MARK:        FIELD_U32(f, ev->u.mark.nr); break;
	case EV_WHY:         asked_fields(f, ev); break;
	case EV_STATE_ERROR:
	case EV_ERROR:       error_fields(f, ev); break;
	case EV_STATE_OLDER:
	case EV_STATE_PROC:
	case EV_STATE_COUNT:
	case EV_STATE_REGION:
	case EV_STATE_AGED:
	case EV_STATE_REFUSED:
	case EV_STATE_SUSPECT: few_numbers(f, d, &ev->u.figures.v, &ev->u.figures.n); break;
	case EV_HEAP:        heap_fields(f, d, ev); break;
	case EV_OOM:         oom_fields(f, ev); break;
	default:             break; /* EV_TASK, EV_SCAN_BEGIN, EV_RESET: nothing more */
	}
}
