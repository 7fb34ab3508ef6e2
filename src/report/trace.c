/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --trace: what is done to the heap, in formats that other tools read.
 *
 *   mbed (the default callback of mbed OS's memory tracing)
 *	#m:<result>;<caller>-<size>            #c:<result>;<caller>-<nmemb>;<size>
 *	#r:<result>;<caller>-<ptr>;<size>      #f:0x0;<caller>-<ptr>
 *
 *   glibc (mtrace(3), whose reader is a perl program of that name)
 *	@ /bin/prog:[0x11a0] + 0x5616877f64a0 0x64
 *	@ /lib/libx.so:(name+0x1d)[0x11c8] < 0x5616877f62a0     realloc, from
 *	@ /lib/libx.so:(name+0x1d)[0x11c8] > 0x5616877f6510 0x1f4 … to
 *
 * What is done, the event before the call tells, for every function there is; the
 * call tells by whom.  Neither format has room for a process: the first one is told. */
#include "base/msg.h"
#include "base/xalloc.h"
#include "calls.h"

/* What the event before a call has told. */
struct deed {
	enum event_type type;  /* EV_ALLOC, EV_FAILED, EV_REALLOC, EV_RELEASE; EV_TYPES:
				  nothing */
	pid_t tid;
	taddr_t addr, old;     /* addr 0: failed, or a realloc that released */
	uint64_t size;
	struct product product;
	bool failed;
};

/* A release that was told and then did not happen: it will come again. */
struct undone {
	pid_t tid;
	taddr_t addr;
};

/* Between the two events of a realloc its old address may be another thread's already,
 * whose line must not come first.  The call is told at its end. */
struct moving {
	pid_t tid;
	taddr_t addr;
};

struct held {
	char *text;
	taddr_t addr, old;
};

struct call_trace {
	enum trace_format format;
	pid_t pid;             /* the process that is told; 0: none yet */
	char *exe;
	bool others, ended;
	bool any, calls;       /* that were told; of a log perhaps none were */
	struct deed last;
	VEC(struct undone) undone;
	VEC(struct moving) moving;
	VEC(struct held) held; /* in order */
	struct u64map places;  /* glibc: module and caller → char * */
};

/* -- mbed OS ---------------------------------------------------------------------- */

static void mbed_line(struct strbuf *sb, const struct deed *d, enum alloc_op op, taddr_t caller)
{
	unsigned long long addr = d->addr, by = caller, size = d->size;

	if (d->type == EV_RELEASE)
		strbuf_addf(sb, "#f:0x0;0x%llx-0x%llx\n", by, addr);
	else if (op == OP_REALLOC)
		strbuf_addf(sb, "#r:0x%llx;0x%llx-0x%llx;%llu\n", addr, by,
			    (unsigned long long)d->old, size);
	else if (d->product.is_one)
		strbuf_addf(sb, "#c:0x%llx;0x%llx-%llu;%llu\n", addr, by,
			    (unsigned long long)d->product.count,
			    (unsigned long long)d->product.each);
	else
		strbuf_addf(sb, "#m:0x%llx;0x%llx-%llu\n", addr, by, size);
}

/* -- glibc -------------------------------------------------------------------------- */

/* The reader splits lines at blanks. */
static bool is_a_word(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

static char *glibc_place(struct calls *c, taddr_t caller, uint32_t module)
{
	const struct heap_module *m = heap_module(c->heap, module);
	const char *symbol = NULL;
	struct strbuf sb = STRBUF_INIT;

	if (!m || !is_a_word(m->path) || !*m->path) {
		strbuf_addf(&sb, "@ [0x%llx] ", (unsigned long long)caller);
		return strbuf_detach(&sb);
	}
	if (!c->trace->exe || strcmp(m->path, c->trace->exe))
		symbol = symbolize_caller(c->sym, caller, module);
	strbuf_addf(&sb, "@ %s:", m->path);
	if (symbol && is_a_word(symbol))
		strbuf_addf(&sb, "(%s)", symbol);
	strbuf_addf(&sb, "[0x%llx] ", (unsigned long long)(caller - m->bias));
	return strbuf_detach(&sb);
}

/* Each is made once; modules' ids are never used again. */
static const char *place_of(struct calls *c, taddr_t caller, uint32_t module)
{
	uint64_t key = hash_u64(caller ^ hash_u64(module));
	char *place = u64map_getp(&c->trace->places, key);

	if (!place) {
		place = glibc_place(c, caller, module);
		u64map_set(&c->trace->places, key, (uintptr_t)place);
	}
	return place;
}

/* As printf's %p and %#lx there. */
static void add_pointer(struct strbuf *sb, taddr_t addr)
{
	strbuf_addf(sb, addr ? "0x%llx" : "(nil)", (unsigned long long)addr);
}

static void glibc_line(struct strbuf *sb, const char *place, char sign, taddr_t addr,
		       const uint64_t *size)
{
	strbuf_addf(sb, "%s%c ", place, sign);
	add_pointer(sb, addr);
	if (size)
		strbuf_addf(sb, " %#llx", (unsigned long long)*size);
	strbuf_addc(sb, '\n');
}

static void glibc_lines(struct strbuf *sb, const struct deed *d, enum alloc_op op,
			const char *place)
{
	if (d->type == EV_RELEASE)
		glibc_line(sb, place, '-', d->addr, NULL);
	else if (op == OP_REALLOC && d->failed)
		glibc_line(sb, place, '!', d->old, &d->size);
	else if (d->type == EV_REALLOC && !d->addr) /* realloc(p, 0) */
		glibc_line(sb, place, '-', d->old, NULL);
	else if (d->type == EV_REALLOC && d->old) {
		glibc_line(sb, place, '<', d->old, NULL);
		glibc_line(sb, place, '>', d->addr, &d->size);
	} else
		glibc_line(sb, place, '+', d->addr, &d->size);
}

/* -- the order ---------------------------------------------------------------------------- */

static bool is_about(taddr_t addr, taddr_t a, taddr_t b)
{
	return addr && (addr == a || addr == b);
}

/* Does a line about these two wait for one of the first m reallocs, or of the first n
 * lines that do? */
static bool waits(const struct call_trace *t, taddr_t addr, taddr_t old, size_t m, size_t n)
{
	for (size_t i = 0; i < m; i++)
		if (is_about(t->moving.v[i].addr, addr, old))
			return true;
	for (size_t i = 0; i < n; i++)
		if (is_about(t->held.v[i].addr, addr, old) || is_about(t->held.v[i].old, addr, old))
			return true;
	return false;
}

static void write_held(struct calls *c)
{
	struct call_trace *t = c->trace;
	size_t n = 0;

	for (size_t i = 0; i < t->held.n; i++) {
		struct held h = t->held.v[i];

		if (waits(t, h.addr, h.old, t->moving.n, n)) {
			t->held.v[n++] = h;
			continue;
		}
		strbuf_reset(&c->line);
		strbuf_adds(&c->line, h.text);
		calls_write(c);
		free(h.text);
	}
	t->held.n = n;
}

/* It is over, whatever came of it (a longjmp, too).  How many began before it. */
static size_t stop_moving(struct call_trace *t, pid_t tid)
{
	for (size_t i = 0; i < t->moving.n; i++)
		if (t->moving.v[i].tid == tid) {
			vec_remove(&t->moving, i);
			return i;
		}
	return t->moving.n;
}

static void begin_moving(struct call_trace *t, const struct event *ev)
{
	stop_moving(t, ev->tid);
	vec_push(&t->moving, ((struct moving){ ev->tid, ev->u.release.addr }));
}

/* What is in c->line.  What waits for a realloc comes after it. */
static void write_in_order(struct calls *c, const struct deed *d)
{
	struct call_trace *t = c->trace;
	size_t before = stop_moving(t, d->tid);
	bool first = d->type == EV_REALLOC && !before;

	if (!first && waits(t, d->addr, d->old, before, t->held.n))
		vec_push(&t->held, ((struct held){ xstrdup(c->line.s), d->addr, d->old }));
	else
		calls_write(c);
	if (t->held.n)
		write_held(c);
}

/* -- events --------------------------------------------------------------------------- */

static void write_word(struct calls *c, const char *line)
{
	if (c->trace->format != TRACE_GLIBC)
		return;
	strbuf_reset(&c->line);
	strbuf_adds(&c->line, line);
	calls_write(c);
}

static void begin(struct calls *c, const struct event *ev)
{
	struct call_trace *t = c->trace;

	if (t->pid && ev->pid != t->pid) {
		if (!t->others)
			msg_info("the trace is that of process %d alone", (int)t->pid);
		t->others = true;
		return;
	}
	if (!t->pid)
		write_word(c, "= Start\n");
	t->pid = ev->pid;
	free(t->exe);
	t->exe = ev->u.proc.exe ? xstrdup(ev->u.proc.exe) : NULL;
	t->undone.n = 0;
	t->moving.n = 0;
	write_held(c);
}

static void end(struct calls *c, enum proc_end_how how)
{
	if (how == END_EXECED || how == END_RUNNING || c->trace->ended)
		return;
	c->trace->ended = true;
	c->trace->moving.n = 0;
	write_held(c);
	write_word(c, "= End\n");
	if (c->trace->any && !c->trace->calls)
		msg_warn("the log has no calls for a trace: --calls or --trace when it is written");
}

/* Was it told already? */
static bool comes_again(struct call_trace *t, const struct event *ev)
{
	for (size_t i = 0; i < t->undone.n; i++)
		if (t->undone.v[i].tid == ev->tid && t->undone.v[i].addr == ev->u.release.addr) {
			vec_remove_swap(&t->undone, i);
			return true;
		}
	return false;
}

/* What the C library returns to itself when a thread ends was freed before: to readers
 * it would be a second time. */
static void take_release(struct call_trace *t, const struct event *ev)
{
	if (ev->u.release.known != RELEASE_SHUTDOWN && !comes_again(t, ev))
		t->last = (struct deed){ .type = EV_RELEASE, .tid = ev->tid,
					 .addr = ev->u.release.addr };
}

static void take_realloc(struct call_trace *t, const struct event *ev)
{
	t->last = (struct deed){ .type = EV_REALLOC, .tid = ev->tid, .addr = ev->u.realloc.addr,
				 .old = ev->u.realloc.old_addr, .size = ev->u.realloc.size,
				 .failed = ev->u.realloc.failed };
}

static void take_alloc(struct call_trace *t, const struct event *ev)
{
	t->any = true;
	t->last = (struct deed){ .type = ev->type, .tid = ev->tid, .addr = ev->u.alloc.addr,
				 .size = ev->u.alloc.size, .product = ev->u.alloc.product,
				 .failed = ev->type == EV_FAILED };
}

static void print(struct calls *c, const struct event *ev)
{
	const struct heap_probe *probe = heap_probe(c->heap, ev->u.call.probe);
	const struct deed *d = &c->trace->last;
	enum alloc_op op = probe ? probe->op : OP_ALLOC;

	if (d->type == EV_TYPES || d->tid != ev->tid || op > OP_RELEASE || c->lost)
		return;
	strbuf_reset(&c->line);
	if (c->trace->format == TRACE_MBED)
		mbed_line(&c->line, d, op, ev->u.call.caller);
	else
		glibc_lines(&c->line, d, op, place_of(c, ev->u.call.caller, ev->u.call.module));
	write_in_order(c, d);
}

void call_trace_event(struct calls *c, const struct event *ev)
{
	struct call_trace *t = c->trace;

	if (ev->type == EV_PROC)
		begin(c, ev);
	if (ev->pid != t->pid)
		return;
	switch (ev->type) {
	case EV_PROC_END:
		end(c, ev->u.end.how);
		break;
	case EV_ALLOC:
	case EV_FAILED:
		take_alloc(t, ev);
		break;
	case EV_REALLOC_BEGIN:
		begin_moving(t, ev);
		break;
	case EV_REALLOC:
		take_realloc(t, ev);
		break;
	case EV_RELEASE:
		take_release(t, ev);
		break;
	case EV_RELEASE_UNDO:
		vec_push(&t->undone, ((struct undone){ ev->tid, ev->u.release.addr }));
		break;
	case EV_CALL:
		print(c, ev);
		t->calls = true;
		t->last.type = EV_TYPES;
		break;
	default:
		break;
	}
}

struct call_trace *call_trace_new(enum trace_format format)
{
	struct call_trace *t = xcalloc(1, sizeof *t);

	t->format = format;
	t->last.type = EV_TYPES;
	return t;
}

void call_trace_free(struct call_trace *t)
{
	if (!t)
		return;
	u64map_for_each(&t->places, p)
		free((void *)(uintptr_t)p->value);
	u64map_release(&t->places);
	vec_release(&t->undone);
	vec_release(&t->moving);
	for (size_t i = 0; i < t->held.n; i++)
		free(t->held.v[i].text);
	vec_release(&t->held);
	free(t->exe);
	free(t);
}
