/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules, probes and stacks: told once, used by every process. */
#include "base/xalloc.h"
#include "elf/elf_file.h"
#include "priv.h"

/* An id that was told before keeps its first meaning: a forked child's modules
 * are announced again under the same ids. */
void session_add_module(struct heap *h, const struct event *ev)
{
	struct heap_module *m;

	if (u64map_get(&h->modules, ev->u.module.id))
		return;
	m = xcalloc(1, sizeof *m);
	m->id = ev->u.module.id;
	m->start = ev->u.module.start;
	m->end = ev->u.module.end;
	m->bias = ev->u.module.bias;
	m->path = xstrdup(ev->u.module.path ? ev->u.module.path : "");
	m->dev = ev->u.module.dev;
	m->ino = ev->u.module.ino;
	if (ev->u.module.build_id) {
		m->build_id_len = MIN(ev->u.module.build_id_len, HEAP_BUILD_ID_MAX);
		memcpy(m->build_id, ev->u.module.build_id, m->build_id_len);
	}
	u64map_set(&h->modules, m->id, (uintptr_t)m);
}

uint64_t session_place_key(uint32_t module, taddr_t vaddr)
{
	return hash_u64(module) ^ vaddr;
}

static char *copy_of(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void session_add_place(struct heap *h, const struct event *ev)
{
	uint64_t key = session_place_key(ev->u.place.module, ev->u.place.vaddr);
	struct heap_place *p;

	if (u64map_get(&h->places, key))
		return;
	p = xmalloc(sizeof *p);
	*p = (struct heap_place){ ev->u.place.module, ev->u.place.vaddr, ev->u.place.line,
				  copy_of(ev->u.place.file), copy_of(ev->u.place.function),
				  copy_of(ev->u.place.variable) };
	u64map_set(&h->places, key, (uintptr_t)p);
}

/* A tracer that was built without a demangler sends the symbol as the name. */
static char *probe_name(const char *name, const char *symbol)
{
	char *nice = name && symbol && !strcmp(name, symbol) ? elf_demangle(symbol) : NULL;

	return nice ? nice : xstrdup(name ? name : "?");
}

void session_add_probe(struct heap *h, const struct event *ev)
{
	size_t id = ev->u.probe.id;
	struct heap_probe *p;

	vec_reserve(&h->probes, id + 1);
	while (h->probes.n <= id)
		h->probes.v[h->probes.n++] = NULL;
	if (h->probes.v[id])
		return;
	p = xcalloc(1, sizeof *p);
	p->op = ev->u.probe.op;
	p->family = ev->u.probe.family;
	p->size_first = ev->u.probe.size_first;
	p->name = probe_name(ev->u.probe.name, ev->u.probe.symbol);
	p->symbol = xstrdup(ev->u.probe.symbol ? ev->u.probe.symbol : p->name);
	h->probes.v[id] = p;
}

/* The stack and its arrays are one allocation: pc, module, exact, origin. */
void session_add_stack(struct heap *h, const struct event *ev)
{
	size_t n = MIN(ev->u.stack.n, HEAP_MAX_FRAMES), i, size;
	bool origin = n && ev->u.stack.origin;
	struct heap_stack *s;
	uint32_t *module;
	uint8_t *bytes;
	taddr_t *pc;
	bool exact = false;

	if (!ev->u.stack.pc || !ev->u.stack.module)
		n = 0;
	if (!ev->u.stack.id || u64map_get(&h->stacks, ev->u.stack.id))
		return;
	for (i = 0; i < n && ev->u.stack.exact; i++)
		exact |= ev->u.stack.exact[i] != 0;
	size = sizeof *s + n * (sizeof *pc + sizeof *module + exact + origin);
	s = xmalloc(size);
	pc = (taddr_t *)(s + 1);
	module = (uint32_t *)(pc + n);
	if (n) {
		memcpy(pc, ev->u.stack.pc, n * sizeof *pc);
		memcpy(module, ev->u.stack.module, n * sizeof *module);
	}
	bytes = (uint8_t *)(module + n);
	if (exact)
		memcpy(bytes, ev->u.stack.exact, n);
	if (origin)
		memcpy(bytes + (exact ? n : 0), ev->u.stack.origin, n);
	*s = (struct heap_stack){
		.id = ev->u.stack.id,
		.n = (uint32_t)n,
		.probe = ev->u.stack.probe,
		.end = ev->u.stack.n > n ? STACK_CUT : MIN(ev->u.stack.end, STACK_BROKEN),
		.any_exact = exact,
		.pc = pc,
		.module = module,
		.exact = exact ? bytes : NULL,
		.origin = origin ? bytes + (exact ? n : 0) : NULL,
	};
	h->stack_memory += size;
	u64map_set(&h->stacks, s->id, (uintptr_t)s);
}

/* What the ledger has found out of a stack, for who reads its frames. */
void session_mark_older(struct heap *h, uint32_t stack)
{
	const struct ledger_older *older = ledger_older(h->ledger, stack);
	struct heap_stack *s = older ? u64map_getp(&h->stacks, stack) : NULL;

	if (!s)
		return;
	s->older = true;
	s->word = older->word;
	s->word_module = older->module;
}

void session_release(struct heap *h)
{
	u64map_for_each(&h->modules, s) {
		struct heap_module *m = (struct heap_module *)(uintptr_t)s->value;

		free(m->path);
		free(m);
	}
	u64map_for_each(&h->places, s) {
		struct heap_place *p = (struct heap_place *)(uintptr_t)s->value;

		free(p->file);
		free(p->function);
		free(p->variable);
		free(p);
	}
	u64map_for_each(&h->stacks, s)
		free((void *)(uintptr_t)s->value);
	for (size_t i = 0; i < h->probes.n; i++) {
		if (h->probes.v[i]) {
			free(h->probes.v[i]->name);
			free(h->probes.v[i]->symbol);
		}
		free(h->probes.v[i]);
	}
	u64map_release(&h->modules);
	u64map_release(&h->places);
	u64map_release(&h->stacks);
	vec_release(&h->probes);
}
