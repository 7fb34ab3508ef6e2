/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "callers.h"
#include "import/books.h"
#include "model/freed.h"
#include "model/openset.h"

/* One caller may release a million wrong addresses; the blocks around them are looked
 * for this often for each stack. */
#define MAX_LOOKS 32

#define BLOCKS_AT_ONCE 256
#define HEAPS_MAX 16

struct extent { taddr_t start, end; };

struct import_books {
	struct books_opts o;
	enum import_format format;
	struct teller teller;
	struct callers *callers;
	struct openset *open;
	struct freed *freed;
	struct u64map looked;  /* stack → how often */
	uint32_t mark;
	bool begun;            /* EV_PROC was told … */
	bool any;              /* … and something happened since */
	bool complete;         /* the log has every block that there can be */
	bool lossy;            /* it does not, since something was damaged */
	struct event said;     /* EV_TARGET, as far as it was not told yet */
	taddr_t start, end;    /* of the heap that is told of; end 0: not known yet */
	struct extent heaps[HEAPS_MAX]; /* that were begun since the target was */
	unsigned nheaps;
	struct extent memory[HEAPS_MAX]; /* of the heaps that were told of, at any time … */
	unsigned nmemory;
	uint8_t header;        /* … in which blocks have so many bytes before them */
	uint64_t records;
	uint64_t damaged, first_damaged, cut_lines;
	uint64_t above;        /* how often the target said that it is above its threshold */
	char *cut;             /* the last operation's line has no end: what it was */
};

struct import_books *import_books_new(const struct books_opts *o)
{
	struct import_books *b = xcalloc(1, sizeof *b);

	b->o = *o;
	b->teller.sink = o->sink;
	b->callers = callers_new(&b->teller, o->elf);
	b->said.type = EV_TARGET;
	if (!b->callers) {
		free(b);
		return NULL;
	}
	b->open = openset_new();
	b->freed = freed_new(o->freed_volume, FREED_MAX);
	import_books_tick(b);
	return b;
}

void import_books_free(struct import_books *b)
{
	if (!b)
		return;
	callers_free(b->callers);
	openset_free(b->open);
	freed_free(b->freed);
	u64map_release(&b->looked);
	free(b->cut);
	free(b);
}

/* In whole microseconds, as the wire carries them. */
void import_books_tick(struct import_books *b)
{
	b->teller.time_ns = b->o.live ? clock_ns() / 1000 * 1000 : b->records * 1000;
}

/* -- the target ------------------------------------------------------------------ */

static uint8_t word_of(struct import_books *b, const struct import_record *r)
{
	uint8_t word = callers_word(b->callers, r);

	return word ? word : b->format == IMPORT_GLIBC ? 8 : 4;
}

static void tell_proc(struct import_books *b, const struct import_record *r, enum proc_how how)
{
	struct event ev = { .type = EV_PROC };

	ev.u.proc.how = how;
	ev.u.proc.exe = b->o.elf ? callers_program(b->callers) : b->o.path;
	ev.u.proc.name = b->o.name;
	ev.u.proc.word = word_of(b, r);
	ev.u.proc.abi = import_format_name(b->format);
	ev.u.proc.log = b->o.live ? PROC_LOG_LIVE : PROC_LOG;
	tell(&b->teller, &ev);
}

static void begin(struct import_books *b, const struct import_record *r)
{
	uint64_t now = b->teller.time_ns;

	if (b->begun)
		return;
	b->begun = true;
	b->teller.time_ns = b->o.live ? now : 0; /* before the first record */
	tell_proc(b, r, PROC_LAUNCHED);
	b->teller.time_ns = now;
	callers_begin(b->callers);
}

/* Who looks on wants to see the target before it says something. */
void import_books_begin(struct import_books *b, enum import_format format)
{
	b->format = format;
	if (b->o.live)
		begin(b, NULL);
}

static void forget(struct import_books *b)
{
	openset_free(b->open);
	b->open = openset_new();
	freed_free(b->freed);
	b->freed = freed_new(b->o.freed_volume, FREED_MAX);
	b->lossy = false;
}

/* All the memory that the heaps have, of which there is no more. */
static void tell_memory(struct import_books *b)
{
	struct event ev = { .type = EV_HEAP };

	for (unsigned i = 0; i < b->nmemory; i++) {
		ev.u.heap.nr = i;
		ev.u.heap.kind = HEAP_FIXED;
		ev.u.heap.start = b->memory[i].start;
		ev.u.heap.size = b->memory[i].end - b->memory[i].start;
		ev.u.heap.header = b->header;
		ev.u.heap.align = b->header ? word_of(b, NULL) : 0;
		tell(&b->teller, &ev);
	}
}

/* The target began anew, as a process does that executes another program: what was
 * before stays as a line of its own. */
static void reboot(struct import_books *b)
{
	struct event ev = { .type = EV_PROC_END, .u.end.how = END_EXECED };

	forget(b);
	if (!b->any)
		return;
	tell(&b->teller, &ev);
	tell_proc(b, NULL, PROC_EXECED);
	tell_memory(b);
	b->any = false;
}

static bool overlaps(const struct extent *a, const struct extent *b)
{
	return a->start < b->end && b->start < a->end;
}

static bool is_same(const struct extent *a, const struct extent *b)
{
	return a->start == b->start && a->end == b->end;
}

/* What lay where it is now is over. */
static void learn_memory(struct import_books *b, const struct extent *e)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->nmemory; i++) {
		if (is_same(e, &b->memory[i]))
			return;
		if (!overlaps(e, &b->memory[i]))
			b->memory[n++] = b->memory[i];
	}
	b->nmemory = n;
	if (n < HEAPS_MAX)
		b->memory[b->nmemory++] = *e;
	tell_memory(b);
}

static int is_in(void *arg, const struct open_block *block)
{
	const struct extent *e = arg;

	return block->addr >= e->start && block->addr < e->end;
}

/* A heap begins.  Of several it may be another one, which the target makes later; where
 * one began before, or something is open, the target did. */
static bool is_reboot(const struct import_books *b, struct extent *heap)
{
	for (unsigned i = 0; i < b->nheaps; i++)
		if (overlaps(heap, &b->heaps[i]))
			return true;
	return openset_each(b->open, is_in, heap);
}

static void take_reset(struct import_books *b, const struct import_record *r)
{
	struct extent heap = { r->addr, r->end };

	b->complete = true;
	if (!r->end || is_reboot(b, &heap)) {
		reboot(b);
		b->nheaps = 0;
	}
	if (r->end && b->nheaps < HEAPS_MAX)
		b->heaps[b->nheaps++] = heap;
}

/* -- what it says of its heap ------------------------------------------------------ */

static void tell_target(struct import_books *b)
{
	if (!b->said.u.target.said && !b->said.u.target.header)
		return;
	tell(&b->teller, &b->said);
	memset(&b->said.u, 0, sizeof b->said.u);
}

static void take_bounds(struct import_books *b, const struct import_record *r)
{
	b->start = r->addr ? r->addr : b->start;
	if (r->size)
		b->end = b->start + r->size;
	else if (r->end)
		b->end = r->end;
	if (!b->end || b->end <= b->start)
		return;
	b->said.u.target.said |= TARGET_BOUNDS;
	b->said.u.target.start = b->start;
	b->said.u.target.size = b->end - b->start;
	b->said.u.target.header = b->header = r->header ? r->header : b->header;
	tell_target(b);
	learn_memory(b, &(struct extent){ b->start, b->end });
}

/* Formats that say how much is used do so in every line: it is told when it matters,
 * and at the end. */
static void take_figures(struct import_books *b, const struct import_record *r)
{
	b->said.u.target.header = r->header ? r->header : b->said.u.target.header;
	if (r->figure_free != UINT64_MAX) {
		b->said.u.target.said |= TARGET_FREE;
		b->said.u.target.free = r->figure_free;
	}
	if (r->figure_used != UINT64_MAX) {
		b->said.u.target.said |= TARGET_USED;
		b->said.u.target.used = r->figure_used;
	}
	if (r->threshold != UINT64_MAX) {
		b->said.u.target.said |= TARGET_THRESHOLD;
		b->said.u.target.threshold = r->threshold;
	}
	if (r->verdict == VERDICT_ABOVE) {
		b->above++;
		tell_target(b);
	} else if (r->what == RECORD_FIGURES) {
		tell_target(b);
	}
}

/* -- errors ------------------------------------------------------------------------ */

static void tell_error(struct import_books *b, enum error_kind kind, taddr_t addr, uint32_t at,
		       struct event *ev)
{
	ev->type = EV_ERROR;
	ev->u.error.kind = (uint8_t)kind;
	ev->u.error.addr = addr;
	ev->u.error.at = at;
	tell(&b->teller, ev);
}

static bool look_around(struct import_books *b, taddr_t addr, uint32_t at, struct event *ev)
{
	const uint64_t *looks = u64map_get(&b->looked, at);
	uint64_t n = looks ? *looks : 0;
	struct open_block open;

	if (n >= MAX_LOOKS)
		return false;
	u64map_set(&b->looked, at, n + 1);
	if (!openset_around(b->open, addr, &open))
		return false;
	ev->u.error.place = PLACE_BLOCK;
	ev->u.error.size = open.size;
	ev->u.error.stack = open.stack;
	ev->u.error.offset = addr - open.addr;
	return true;
}

/* A release of what is not open.  Where the log began in the middle, or something of it
 * was lost, its allocation may be in what is missing; what was released before, or lies
 * within another block, is wrong all the same, and the target itself may know. */
static void judge_unknown(struct import_books *b, const struct import_record *r, taddr_t addr,
			  uint32_t at)
{
	struct event ev = { .type = EV_ERROR };
	struct freed_block f;

	if (freed_find(b->freed, addr, &f)) {
		ev.u.error.size = f.size;
		ev.u.error.stack = f.stack;
		ev.u.error.freed = f.at;
		tell_error(b, ERROR_DOUBLE_FREE, addr, at, &ev);
		return;
	}
	if (b->lossy ? r->verdict == VERDICT_UNTRACKED :
		       look_around(b, addr, at, &ev) || b->complete || r->verdict == VERDICT_UNTRACKED)
		tell_error(b, ERROR_INVALID_FREE, addr, at, &ev);
}

/* -- blocks ------------------------------------------------------------------------ */

static struct product product_of(const struct import_record *r)
{
	return (struct product){ r->count || r->each, r->count, r->each };
}

static void set_released(struct event *ev, const struct open_block *old)
{
	ev->u.release.addr = old->addr;
	ev->u.release.size = old->size;
	ev->u.release.stack = old->stack;
	ev->u.release.mark = old->mark;
}

/* An address that is open was released in a line that is missing. */
static void open_block(struct import_books *b, taddr_t addr, uint64_t size, uint32_t stack)
{
	struct event gone = { .type = EV_RELEASE };
	struct open_block old;

	freed_drop(b->freed, addr);
	if (!openset_add(b->open, &(struct open_block){ addr, size, stack, b->mark }, &old))
		return;
	set_released(&gone, &old);
	gone.u.release.known = RELEASE_UNSEEN;
	tell(&b->teller, &gone);
}

static void take_alloc(struct import_books *b, const struct import_record *r, uint32_t stack)
{
	struct event ev = { .type = EV_ALLOC };

	open_block(b, r->addr, r->size, stack);
	ev.u.alloc.addr = r->addr;
	ev.u.alloc.size = r->size;
	ev.u.alloc.stack = stack;
	ev.u.alloc.mark = b->mark;
	ev.u.alloc.product = product_of(r);
	tell(&b->teller, &ev);
}

static void take_failed(struct import_books *b, const struct import_record *r, uint32_t stack)
{
	struct event ev = { .type = EV_FAILED };

	ev.u.alloc.size = r->size;
	ev.u.alloc.stack = stack;
	ev.u.alloc.product = product_of(r);
	tell(&b->teller, &ev);
}

static void take_free(struct import_books *b, const struct import_record *r, taddr_t addr,
		      uint16_t probe, uint32_t at)
{
	struct event ev = { .type = EV_RELEASE };
	struct open_block old;

	ev.u.release.addr = addr;
	ev.u.release.probe = probe;
	ev.u.release.at = at;
	if (!addr) {
		ev.u.release.known = RELEASE_NULL;
	} else if (openset_take(b->open, addr, &old)) {
		freed_add(b->freed, &(struct freed_block){ addr, old.size, old.stack, at });
		ev.u.release.at = b->o.releases ? at : 0;
		set_released(&ev, &old);
	} else {
		ev.u.release.known = RELEASE_UNKNOWN;
		judge_unknown(b, r, addr, at);
	}
	tell(&b->teller, &ev);
}

/* A realloc is two events: the old block goes into the allocator's hands, and this came
 * of it. */
static void take_realloc(struct import_books *b, const struct import_record *r, uint16_t probe,
			 uint32_t stack)
{
	struct event first = { .type = EV_REALLOC_BEGIN }, ev = { .type = EV_REALLOC };
	struct open_block old = { 0 };

	if (openset_take(b->open, r->old, &old)) {
		freed_add(b->freed, &(struct freed_block){ r->old, old.size, old.stack, stack });
		set_released(&first, &old);
		first.u.release.probe = probe;
		tell(&b->teller, &first);
	} else {
		judge_unknown(b, r, r->old, stack);
	}
	if (r->addr)
		open_block(b, r->addr, r->size, stack);
	ev.u.realloc.old_addr = r->old;
	ev.u.realloc.old_size = old.size;
	ev.u.realloc.old_stack = old.stack;
	ev.u.realloc.old_mark = old.mark;
	ev.u.realloc.addr = r->addr;
	ev.u.realloc.size = r->size;
	ev.u.realloc.stack = stack;
	ev.u.realloc.mark = b->mark;
	ev.u.realloc.product = product_of(r);
	tell(&b->teller, &ev);
}

/* Lists of open blocks are printed again and again. */
static bool is_open(const struct import_books *b, const struct import_record *r)
{
	struct open_block there;

	return openset_find(b->open, r->addr, &there) && there.size == r->size;
}

static void take_call(struct import_books *b, const struct import_record *r)
{
	uint16_t probe = callers_probe(b->callers, r);
	uint32_t stack = callers_stack(b->callers, r, probe);

	b->any = true;
	if (r->what == RECORD_FAILED)
		take_failed(b, r, stack);
	else if (r->what == RECORD_FREE)
		take_free(b, r, r->addr, probe, stack);
	else if (r->what == RECORD_LISTED && is_open(b, r))
		return;
	else if (r->what == RECORD_REALLOC && r->old)
		take_realloc(b, r, probe, stack);
	else if (r->addr)
		take_alloc(b, r, stack);
}

/* -- records ----------------------------------------------------------------------- */

static void remember_cut(struct import_books *b, const struct import_record *r)
{
	free(b->cut);
	b->cut = r->verdict != VERDICT_CUT ? NULL :
		 r->what == RECORD_FREE    ? xasprintf("%s(0x%llx)", r->operation, (unsigned long long)r->addr) :
					     xasprintf("%s(%llu)", r->operation, (unsigned long long)r->size);
}

void import_books_take(struct import_books *b, const struct import_record *r, uint64_t line)
{
	(void)line;
	b->records++;
	if (!b->o.live)
		b->teller.time_ns = b->records * 1000;
	begin(b, r);
	if (b->cut || r->verdict == VERDICT_CUT)
		remember_cut(b, r);
	switch (r->what) {
	case RECORD_ALLOC:
	case RECORD_FREE:
	case RECORD_REALLOC:
	case RECORD_FAILED:
	case RECORD_LISTED:
		take_call(b, r);
		break;
	case RECORD_RESET:
		take_reset(b, r);
		break;
	case RECORD_BOUNDS:
		take_bounds(b, r);
		break;
	case RECORD_FIGURES:
	case RECORD_BLOCK:
	case RECORD_END:
		break;
	}
	take_figures(b, r);
	if (b->o.mark && *b->o.mark) {
		*b->o.mark = false;
		import_books_mark(b);
	}
}

/* It may have been an allocation: what was released before proves nothing any more. */
void import_books_damaged(struct import_books *b, uint64_t line)
{
	if (!b->damaged++)
		b->first_damaged = line;
	b->lossy = true;
	freed_free(b->freed);
	b->freed = freed_new(b->o.freed_volume, FREED_MAX);
}

void import_books_cut(struct import_books *b)
{
	b->cut_lines++;
}

void import_books_restart(struct import_books *b)
{
	if (b->begun)
		reboot(b);
}

/* -- the end ----------------------------------------------------------------------- */

static void note(struct import_books *b, bool bad, struct strbuf *sb)
{
	struct event ev = { .type = EV_NOTE, .u.note = { bad, sb->s } };

	tell(&b->teller, &ev);
	strbuf_release(sb);
}

static void add_count(struct strbuf *sb, uint64_t n, const char *one, const char *many)
{
	strbuf_add_grouped(sb, n);
	strbuf_addf(sb, " %s", n == 1 ? one : many);
}

static void note_damage(struct import_books *b)
{
	struct strbuf sb = STRBUF_INIT;

	if (b->damaged) {
		strbuf_adds(&sb, b->o.name);
		strbuf_adds(&sb, ": ");
		add_count(&sb, b->damaged, "damaged record was", "damaged records were");
		strbuf_addf(&sb, " skipped, %sin line %llu: what was said there is missing",
			    b->damaged == 1 ? "" : "the first one ", (unsigned long long)b->first_damaged);
		note(b, false, &sb);
	}
	if (b->cut_lines) {
		strbuf_addf(&sb, "%s: of ", b->o.name);
		add_count(&sb, b->cut_lines, "very long line the rest was", "very long lines the rest was");
		strbuf_adds(&sb, " left out");
		note(b, false, &sb);
	}
}

static void note_target(struct import_books *b)
{
	struct strbuf sb = STRBUF_INIT;

	if (b->above) {
		strbuf_addf(&sb, "%s: the target said ", b->o.name);
		add_count(&sb, b->above, "time", "times");
		strbuf_adds(&sb, " that it was above its threshold");
		note(b, false, &sb);
	}
	if (b->cut) {
		strbuf_addf(&sb, "%s ends within %s: the target died in it, or was not listened to any more",
			    b->o.name, b->cut);
		note(b, true, &sb);
	}
}

void import_books_end(struct import_books *b)
{
	struct event ev = { .type = EV_PROC_END, .u.end.how = END_DETACHED };

	import_books_tick(b);
	begin(b, NULL);
	tell_target(b);
	note_damage(b);
	note_target(b);
	tell(&b->teller, &ev);
}

/* -- what may be asked --------------------------------------------------------------- */

int import_books_mark(struct import_books *b)
{
	struct event ev = { .type = EV_MARK };

	if (b->mark == OPENSET_MAX_MARK)
		return -ERANGE;
	ev.u.mark.nr = ++b->mark;
	ev.time_ns = b->teller.time_ns;
	b->o.sink->emit(b->o.sink, &ev); /* of no process */
	return 0;
}

void import_books_forget(struct import_books *b)
{
	struct event ev = { .type = EV_RESET };

	forget(b);
	b->complete = false;
	if (b->begun)
		tell(&b->teller, &ev);
}

void import_books_memory(struct import_books *b)
{
	if (b->begun)
		tell_memory(b);
}

struct listing { struct import_books *b; bool hold; };

static int tell_block(void *arg, const struct open_block *block)
{
	struct event ev = { .type = EV_BLOCK };
	struct listing *l = arg;

	ev.u.alloc.addr = block->addr;
	ev.u.alloc.size = block->size;
	ev.u.alloc.stack = block->stack;
	ev.u.alloc.mark = block->mark;
	l->hold |= tell(&l->b->teller, &ev) == EMIT_HOLD;
	return 0;
}

bool import_books_blocks(struct import_books *b, uint32_t *at, bool *hold)
{
	struct listing l = { b, false };
	bool more = openset_each_some(b->open, at, BLOCKS_AT_ONCE, tell_block, &l);

	*hold = l.hold;
	return more;
}

uint64_t import_books_records(const struct import_books *b)
{
	return b->records;
}

size_t import_books_open(const struct import_books *b)
{
	return openset_count(b->open);
}
