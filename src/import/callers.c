/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "callers.h"
#include "elf/elf_file.h"
#include "import/books.h"

struct operation {
	const char *name;      /* a literal of the parser */
	enum alloc_op op;
};

struct object {
	uint32_t module;
	bool told;
	struct elf_file *elf;  /* NULL: there is none */
	char *path;
	taddr_t start, end;
};

/* What a log says of a place in words (file, line, function) has no address: module
 * `words` stands for them all, and its addresses are their numbers. */
struct callers {
	struct teller *teller;
	VEC(struct operation) operations; /* probe 1 is the first */
	struct u64map stacks;  /* hash of who called → id: 64 bits of it are enough, since
				  callers that a collision merged would be a wrong name,
				  no wrong sum */
	uint32_t nstacks;
	struct object firmware;
	VEC(struct object) objects; /* that records name by path … */
	struct u64map by_path;  /* … hash of that → index */
	struct u64map places;   /* hash of the words → number */
	uint32_t words, nplaces, nmodules;
};

int tell(struct teller *t, struct event *ev)
{
	ev->pid = ev->tid = IMPORT_PID;
	ev->time_ns = t->time_ns;
	return t->sink->emit(t->sink, ev);
}

/* -- ELF files ------------------------------------------------------------------ */

static void find_extent(struct object *o)
{
	const struct elf_segment *seg;
	size_t n = elf_file_segments(o->elf, &seg);

	for (size_t i = 0; i < n; i++) {
		o->start = i ? MIN(o->start, seg[i].vaddr) : seg[i].vaddr;
		o->end = MAX(o->end, seg[i].vaddr + seg[i].memsz);
	}
}

static void object_init(struct object *o, uint32_t module, const char *path)
{
	char *whole = realpath(path, NULL);

	*o = (struct object){ .module = module, .path = whole ? whole : xstrdup(path) };
	o->elf = whole ? elf_file_open(whole, whole) : NULL;
	if (o->elf)
		find_extent(o);
}

static void object_release(struct object *o)
{
	if (o->elf)
		elf_file_unref(o->elf);
	free(o->path);
}

static void tell_object(struct callers *c, struct object *o)
{
	struct event ev = { .type = EV_MODULE };
	struct stat st;
	size_t len = 0;

	if (o->told)
		return;
	o->told = true;
	ev.u.module.id = o->module;
	ev.u.module.start = o->start;
	ev.u.module.end = o->end;
	ev.u.module.path = o->path;
	if (o->elf)
		ev.u.module.build_id = elf_file_build_id(o->elf, &len);
	ev.u.module.build_id_len = (uint8_t)MIN(len, (size_t)64);
	if (o->elf && !stat(o->path, &st)) {
		ev.u.module.dev = st.st_dev;
		ev.u.module.ino = st.st_ino;
	}
	tell(c->teller, &ev);
}

struct callers *callers_new(struct teller *t, const char *elf)
{
	struct callers *c = xcalloc(1, sizeof *c);

	c->teller = t;
	if (!elf)
		return c;
	errno = 0;
	object_init(&c->firmware, ++c->nmodules, elf);
	if (c->firmware.elf)
		return c;
	msg_error("cannot read %s: %s", elf, errno == ENOEXEC || !errno ? "it is no ELF file" : strerror(errno));
	callers_free(c);
	return NULL;
}

void callers_free(struct callers *c)
{
	if (!c)
		return;
	object_release(&c->firmware);
	for (size_t i = 0; i < c->objects.n; i++)
		object_release(&c->objects.v[i]);
	vec_release(&c->objects);
	vec_release(&c->operations);
	u64map_release(&c->stacks);
	u64map_release(&c->by_path);
	u64map_release(&c->places);
	free(c);
}

static struct object *object_of(struct callers *c, const struct import_record *r)
{
	uint64_t key = hash_bytes(r->module, r->nmodule, 0);
	const uint64_t *at = u64map_get(&c->by_path, key);
	struct object o;
	char *path;

	if (at)
		return &c->objects.v[*at];
	path = xstrndup(r->module, r->nmodule);
	object_init(&o, ++c->nmodules, path);
	free(path);
	u64map_set(&c->by_path, key, c->objects.n);
	vec_push(&c->objects, o);
	return &c->objects.v[c->objects.n - 1];
}

uint8_t callers_word(struct callers *c, const struct import_record *r)
{
	struct object *o = r && r->module ? object_of(c, r) : &c->firmware;

	return !o->elf ? 0 : elf_file_ident(o->elf)->class == ELFCLASS64 ? 8 : 4;
}

const char *callers_program(const struct callers *c)
{
	return c->firmware.path;
}

void callers_begin(struct callers *c)
{
	if (c->firmware.elf)
		tell_object(c, &c->firmware);
}

/* -- frames --------------------------------------------------------------------- */

struct frames {
	taddr_t pc[IMPORT_FRAMES];
	uint32_t module[IMPORT_FRAMES];
	uint8_t exact[IMPORT_FRAMES];
	unsigned n;
};

static uint64_t hash_words(const struct import_record *r, uint64_t h)
{
	h = hash_bytes(r->file, r->nfile, h ^ r->line);
	h = hash_bytes(r->function, r->nfunction, hash_u64(h));
	return hash_bytes(r->variable, r->nvariable, hash_u64(h));
}

static char *words(const char *s, unsigned n)
{
	return s && n ? xstrndup(s, n) : NULL;
}

static void tell_place(struct callers *c, uint32_t module, taddr_t vaddr,
		       const struct import_record *r, char *function)
{
	char *file = words(r->file, r->nfile), *variable = words(r->variable, r->nvariable);
	struct event ev = { .type = EV_PLACE, .u.place = { .module = module, .vaddr = vaddr, .file = file,
							   .function = function, .line = r->line,
							   .variable = variable } };

	tell(c->teller, &ev);
	free(file);
	free(variable);
	free(function);
}

static void tell_words_module(struct callers *c)
{
	struct event ev = { .type = EV_MODULE };

	c->words = ++c->nmodules;
	ev.u.module.id = c->words;
	ev.u.module.path = "";
	ev.u.module.end = UINT32_MAX;
	tell(c->teller, &ev);
}

static void frame_of_words(struct callers *c, const struct import_record *r, struct frames *f)
{
	uint64_t key = hash_words(r, 0);
	const uint64_t *number = u64map_get(&c->places, key);

	if (!c->words)
		tell_words_module(c);
	if (!number) {
		u64map_set(&c->places, key, ++c->nplaces);
		tell_place(c, c->words, c->nplaces, r, words(r->function, r->nfunction));
	}
	f->pc[f->n] = number ? *number : c->nplaces;
	f->module[f->n] = c->words;
	f->exact[f->n++] = true;
}

/* ARM code pointers have the instruction set in bit 0. */
static taddr_t code_address(const struct object *o, taddr_t pc)
{
	return elf_file_ident(o->elf)->machine == EM_ARM ? pc & ~(taddr_t)1 : pc;
}

/* mtrace(3) tells addresses less where the object begins (since glibc 2.31), which is
 * 0 in the file of all but programs that are linked to a fixed address. */
static taddr_t file_address(const struct object *o, taddr_t pc)
{
	if (!o->elf || elf_file_ident(o->elf)->type != ET_EXEC || pc >= o->start)
		return pc;
	return pc + (o->start & ~(taddr_t)0xfff);
}

/* "symbol+0x1f" of an object that is not here. */
static void tell_symbol(struct callers *c, const struct object *o, taddr_t pc,
			const struct import_record *r)
{
	unsigned n = 0;

	while (n < r->nsymbol && r->symbol[n] != '+')
		n++;
	if (n && !o->elf)
		tell_place(c, o->module, pc - 1, r, words(r->symbol, n));
}

static void frame_of_object(struct callers *c, const struct import_record *r, struct frames *f)
{
	struct object *o = object_of(c, r);

	tell_object(c, o);
	f->pc[0] = file_address(o, r->npc ? r->pc[0] : 0);
	f->module[0] = o->module;
	f->n = 1;
	tell_symbol(c, o, f->pc[0], r);
}

static void frames_of_addresses(struct callers *c, const struct import_record *r, struct frames *f)
{
	const struct object *fw = &c->firmware;

	for (unsigned i = 0; i < r->npc && f->n < IMPORT_FRAMES; i++) {
		taddr_t pc = fw->elf ? code_address(fw, r->pc[i]) : r->pc[i];

		f->module[f->n] = fw->elf && pc >= fw->start && pc <= fw->end ? fw->module : 0;
		f->pc[f->n++] = pc;
	}
}

static uint32_t new_stack(struct callers *c, const struct import_record *r, uint16_t probe)
{
	struct event ev = { .type = EV_STACK };
	struct frames f = { .n = 0 };

	if (r->nfile || r->nfunction)
		frame_of_words(c, r, &f);
	else if (r->module)
		frame_of_object(c, r, &f);
	else
		frames_of_addresses(c, r, &f);
	ev.u.stack.id = ++c->nstacks;
	ev.u.stack.probe = probe;
	ev.u.stack.end = STACK_COMPLETE;
	ev.u.stack.n = f.n;
	ev.u.stack.pc = f.pc;
	ev.u.stack.module = f.module;
	ev.u.stack.exact = f.exact;
	tell(c->teller, &ev);
	return c->nstacks;
}

static uint64_t hash_caller(const struct import_record *r, uint16_t probe)
{
	uint64_t h = probe;

	for (unsigned i = 0; i < r->npc; i++)
		h = hash_u64(h ^ r->pc[i]) + i;
	if (r->module)
		h = hash_bytes(r->module, r->nmodule, h);
	return r->nfile || r->nfunction ? hash_words(r, h) : h;
}

uint32_t callers_stack(struct callers *c, const struct import_record *r, uint16_t probe)
{
	uint64_t key = hash_caller(r, probe);
	const uint64_t *id = u64map_get(&c->stacks, key);
	uint32_t made;

	if (id)
		return (uint32_t)*id;
	made = new_stack(c, r, probe);
	u64map_set(&c->stacks, key, made);
	return made;
}

/* -- operations ------------------------------------------------------------------ */

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static enum alloc_op op_of(const struct import_record *r)
{
	if (r->what == RECORD_FREE)
		return OP_RELEASE;
	return r->what == RECORD_REALLOC || ends_in(r->operation, "realloc") ? OP_REALLOC : OP_ALLOC;
}

static void tell_operation(struct callers *c, uint16_t id, const struct operation *o)
{
	struct event ev = { .type = EV_PROBE };

	ev.u.probe.id = id;
	ev.u.probe.op = o->op;
	ev.u.probe.family = FAMILY_C;
	ev.u.probe.name = ev.u.probe.symbol = o->name;
	tell(c->teller, &ev);
}

uint16_t callers_probe(struct callers *c, const struct import_record *r)
{
	struct operation want = { r->operation, op_of(r) };

	for (size_t i = 0; i < c->operations.n; i++) {
		const struct operation *o = &c->operations.v[i];

		if (o->op == want.op && (o->name == want.name || !strcmp(o->name, want.name)))
			return (uint16_t)(i + 1);
	}
	vec_push(&c->operations, want);
	tell_operation(c, (uint16_t)c->operations.n, &want);
	return (uint16_t)c->operations.n;
}
