/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which functions of a module are observed, and what is known of them later. */
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "trace/breakpoint.h"
#include "trace/image-internal.h"
#include "trace/recorder.h"
#include "trace/sigtrap.h"
#include "trace/wrappers.h"

/* What a module's `user` says of it. */
enum { MOD_PLANTED = 1, MOD_ALLOCATOR = 2, MOD_C_LIBRARY = 4, MOD_OPERATORS = 8 };

/* -- probes in a module ------------------------------------------------------------ */

struct planting {
	struct proc *p;
	struct task *stopped;
	struct module *m;
	size_t found;
	const size_t *index_of; /* names that were looked for → probe */
	bool rust_default;      /* Rust's allocator is malloc */
	struct { size_t index; taddr_t addr; uint64_t size; } rust[8];
	size_t nrust;           /* not planted yet */
};

static struct probe_site *site_at(struct proc *p, taddr_t addr)
{
	for (size_t i = 0; i < p->sites.n; i++)
		if (p->sites.v[i]->addr == addr)
			return p->sites.v[i];
	return NULL;
}

/* An indirect function: where the linker put what the resolver chose. */
struct ifunc_search {
	struct proc *p;
	struct module *in;   /* defines the symbol */
	const struct elf_symbol *sym;
	struct module *from; /* whose relocations are looked at */
	taddr_t target;
};

static bool check_got(void *arg, enum elf_reloc_kind kind, taddr_t slot, taddr_t addend,
		      const char *symbol)
{
	struct ifunc_search *s = arg;
	uint64_t value;

	if (kind == RELOC_IRELATIVE ? s->from != s->in || addend != s->sym->code
				    : !symbol || strcmp(symbol, s->sym->name))
		return true;
	if (proc_read_word(s->p, s->from->bias + slot, &value))
		return true;
	/* A lazy slot still points into the caller's own PLT. */
	if (value < s->in->text_start || value >= s->in->text_end ||
	    value == s->in->bias + s->sym->code)
		return true;
	s->target = value;
	return false;
}

static taddr_t resolve_ifunc(struct proc *p, struct module *m, const struct elf_symbol *sym)
{
	struct ifunc_search s = { .p = p, .in = m, .sym = sym };

	for (size_t i = 0; i < p->modules.v.n && !s.target; i++) {
		s.from = p->modules.v.v[i];
		if (s.from->file)
			elf_file_each_got(s.from->file, check_got, &s);
	}
	return s.target;
}

static bool is_cxx_runtime(const char *path)
{
	const char *name = last_part(path);

	return !strncmp(name, "libstdc++.so", 12) || !strncmp(name, "libc++.so", 9) ||
	       !strncmp(name, "libc++abi.so", 12) || !strncmp(name, "libsupc++.so", 12);
}

/* The C libraries' own free() ends there. */
static bool is_leaf_release(const struct module *m, const struct probe *probe)
{
	const char *name = last_part(m->path);

	if (probe->op != OP_RELEASE || strcmp(probe->symbol, "free"))
		return false;
	return !strncmp(name, "libc.so", 7) || !strncmp(name, "libc-", 5) ||
	       !strncmp(name, "ld-musl", 7) || !elf_file_ident(m->file)->has_dynamic;
}

static void mark_module(struct module *m, const struct probe *probe)
{
	uintptr_t bit = 0;

	if (!strcmp(probe->symbol, "malloc") || !strcmp(probe->symbol, "free"))
		bit = MOD_ALLOCATOR;
	else if (!strcmp(probe->symbol, "munmap"))
		bit = MOD_C_LIBRARY;
	m->user = (void *)((uintptr_t)m->user | bit);
}

static void plant_site(struct planting *pl, size_t index, taddr_t code, uint64_t size,
		       bool resolver)
{
	taddr_t addr = abi_code_addr(pl->p->abi, code);
	struct session *s = pl->p->session;
	struct probe_site *site = site_at(pl->p, addr);
	struct breakpoint *bp;
	uint8_t byte;

	s->probes->found.v[index]++;
	pl->found++;
	mark_module(pl->m, &s->probes->probe.v[index]);
	if (site) { /* an alias; the earlier row names it */
		const struct probe *row = &s->probes->probe.v[index];

		site->families |= (uint8_t)(1u << row->family);
		if (row->size_arg != site->size_arg)
			site->size_arg = 0;
		if (index < site->id) {
			site->id = (uint16_t)index;
			site->probe = &s->probes->probe.v[index];
			recorder_probe(s->recorder, pl->p, site->id, site->probe);
		}
		return;
	}
	bp = bp_plant(pl->p, pl->stopped, code, BP_PROBE);
	if (!bp) {
		/* What cannot be read either is dead. */
		if (memory_read(&pl->p->mem, addr, &byte, 1) != 1)
			return;
		msg_warn("%s in %s cannot be observed: %s",
			 probe_symbol(&s->probes->probe.v[index]), pl->m->path,
			 bp_why_not(pl->p, code));
		return;
	}
	site = xcalloc(1, sizeof *site);
	site->id = (uint16_t)index;
	site->probe = &s->probes->probe.v[index];
	site->addr = addr;
	site->size = size;
	site->module = pl->m;
	site->resolver = resolver;
	site->leaf = is_leaf_release(pl->m, site->probe);
	site->families = (uint8_t)(1u << site->probe->family);
	site->size_arg = site->probe->size_arg;
	vec_push(&pl->p->sites, site);
	bp->site = site;
	recorder_probe(s->recorder, pl->p, site->id, site->probe);
}

/* A function that is not stopped at, but recognised as the caller of one. */
static void note_range(struct proc *p, struct module *m, size_t index,
		       const struct elf_symbol *sym)
{
	const struct probe *probe = &p->session->probes->probe.v[index];
	taddr_t addr = m->bias + sym->value;
	struct range_probe w = { .start = addr, .end = addr + sym->size,
				 .probe = (uint16_t)index, .module = m,
				 .families = (uint8_t)(1u << probe->family),
				 .throws = probe->flags & PROBE_THROWS };
	uint8_t code[64];

	for (size_t i = 0; i < p->wrappers.n; i++)
		if (p->wrappers.v[i].start == addr) {
			p->wrappers.v[i].families |= w.families;
			return;
		}
	if (p->abi->tests_zero && proc_read(p, addr, code, sizeof code) == sizeof code)
		w.zero_flag = p->abi->tests_zero(p->abi, code, sizeof code);
	w.jumps = !w.throws && wrapper_jumps(p, m->bias + sym->code);
	vec_push(&p->wrappers, w);
	p->session->probes->found.v[index]++;
	if (!w.throws)
		recorder_probe(p->session->recorder, p, w.probe, probe);
}

/* An operator that is left out (-n): in the C++ libraries it calls malloc, which
 * is seen.  An allocator's own gives out blocks that we do not get to know. */
static void left_out(struct proc *p, const struct module *m)
{
	bool is_static = p->entry >= m->start && p->entry < m->end &&
			 !elf_file_ident(m->file)->has_interp;

	if ((uintptr_t)m->user & MOD_ALLOCATOR && !is_static)
		p->hides_blocks = true;
}

static void found_function(void *arg, size_t k, const struct elf_symbol *sym)
{
	struct planting *pl = arg;
	size_t index = pl->index_of ? pl->index_of[k] : k;
	struct proc *p = pl->p;
	const struct probe *probe = &p->session->probes->probe.v[index];
	taddr_t addr = pl->m->bias + sym->code;

	if (addr < pl->m->text_start || addr >= pl->m->text_end)
		return;
	if (probe->flags & PROBE_LEFT_OUT) {
		left_out(p, pl->m);
		return;
	}
	if (probe->flags & PROBE_RUST_DEFAULT) {
		pl->rust_default = true;
		return;
	}
	if (probe->flags & PROBE_RUST) {
		if (pl->nrust < ARRAY_SIZE(pl->rust)) {
			pl->rust[pl->nrust].index = index;
			pl->rust[pl->nrust].addr = addr;
			pl->rust[pl->nrust++].size = sym->size;
		}
		return;
	}
	/* Not resolved yet, or where we cannot see it: the resolver will tell,
	 * each time it is called. */
	if (sym->ifunc) {
		plant_site(pl, index, addr, 0, true);
		addr = resolve_ifunc(p, pl->m, sym);
		if (addr)
			plant_site(pl, index, addr, 0, false);
		return;
	}
	if (probe->flags & PROBE_THROWS ||
	    (probe->flags & PROBE_FORWARDS && is_cxx_runtime(pl->m->path) && sym->size)) {
		note_range(p, pl->m, index, sym);
		return;
	}
	if (probe->flags & PROBE_CPP && !is_cxx_runtime(pl->m->path))
		pl->m->user = (void *)((uintptr_t)pl->m->user | MOD_OPERATORS);
	plant_site(pl, index, addr, sym->size, false);
}

/* With Rust's default allocator all of these come to malloc, which is seen: a
 * stop more for each would tell nothing. */
static void plant_rust(struct planting *pl)
{
	for (size_t i = 0; i < pl->nrust && !pl->rust_default; i++)
		plant_site(pl, pl->rust[i].index, pl->rust[i].addr, pl->rust[i].size, false);
}

/* The user's probes that own symbols did not name: a static function of a file
 * whose symbols are in a separate debug file. */
static void plant_user_debug(struct planting *pl)
{
	struct probe_set *ps = pl->p->session->probes;
	const char **names = xcalloc(ps->probe.n, sizeof *names);
	size_t *index_of = xcalloc(ps->probe.n, sizeof *index_of), n = 0;

	for (size_t i = 0; i < ps->opts->probes.n; i++)
		if (!ps->found.v[i] && *ps->symbol.v[i]) {
			names[n] = ps->symbol.v[i];
			index_of[n++] = i;
		}
	if (n) {
		pl->index_of = index_of;
		elf_file_find_functions(pl->m->file, names, n, SYMS_DEBUG, found_function, pl);
		pl->index_of = NULL;
	}
	free(names);
	free(index_of);
}

/* A breakpoint in an IT block would be as conditional as what it replaces. */
static bool is_conditional(struct proc *p, taddr_t code)
{
	uint8_t before[16];
	taddr_t addr = abi_code_addr(p->abi, code);

	return p->abi->in_block && proc_read(p, addr - sizeof before, before, sizeof before) == sizeof before &&
	       p->abi->in_block(p->abi, code, before, sizeof before);
}

static void plant_user_offsets(struct planting *pl)
{
	struct probe_set *ps = pl->p->session->probes;

	for (size_t i = 0; i < ps->opts->probes.n; i++) {
		const struct user_probe *u = &ps->opts->probes.v[i];
		taddr_t addr = pl->m->bias + u->offset;

		if (!u->object || strcmp(u->object, strchr(u->object, '/') ? pl->m->path :
							     last_part(pl->m->path)))
			continue;
		if (addr < pl->m->text_start || addr >= pl->m->text_end)
			continue;
		addr = image_code(pl->p, addr);
		if (is_conditional(pl->p, addr))
			msg_warn("%s+0x%llx cannot be observed: instructions before it decide whether "
				 "it is executed", pl->m->path, (unsigned long long)u->offset);
		else
			plant_site(pl, i, addr, 0, false);
	}
}

static void count_hit(void *arg, size_t index, const struct elf_symbol *sym)
{
	(void)index, (void)sym;
	++*(size_t *)arg;
}

/* glibc's linker has a minimal malloc that is none of the program's; musl's
 * linker is the C library. */
static bool is_plain_linker(struct proc *p, const struct module *m)
{
	static const char *const libc_names[] = { "__libc_start_main" };
	size_t hits = 0;

	if (!p->linker || p->linker < m->start || p->linker >= m->end)
		return false;
	elf_file_find_functions(m->file, libc_names, 1, SYMS_OWN, count_hit, &hits);
	return !hits;
}

bool image_planted(const struct module *m)
{
	return (uintptr_t)m->user & MOD_PLANTED;
}

void image_plant(struct proc *p, struct task *stopped, struct module *m)
{
	struct probe_set *ps = p->session->probes;
	struct planting pl = { .p = p, .stopped = stopped, .m = m };
	const struct elf_ident *id;

	m->user = (void *)(uintptr_t)MOD_PLANTED;
	if (!m->file || m->is_vdso || m->text_end <= m->text_start)
		return;
	if (is_plain_linker(p, m))
		return;
	if (probe_set_omits(ps, m->path))
		return;
	id = elf_file_ident(m->file);
	elf_file_find_functions(m->file, ps->symbol.v, ps->symbol.n, SYMS_OWN, found_function, &pl);
	plant_rust(&pl);
	/* A stripped static program: its separate debug file knows. */
	if (!pl.found && !id->has_interp && m->start <= p->entry && p->entry < m->end)
		elf_file_find_functions(m->file, ps->symbol.v, ps->symbol.n, SYMS_DEBUG,
					found_function, &pl);
	plant_user_debug(&pl);
	plant_user_offsets(&pl);
	p->probes_found += pl.found;
	if (pl.found)
		p->session->any_found = true;
	sigtrap_scan_module(p, stopped, m);
}

/* -- what is asked of them ------------------------------------------------------------ */

/* How far a function reaches whose symbol does not say. */
#define UNKNOWN_SIZE 1024

bool image_in_allocator(const struct proc *p, taddr_t pc)
{
	for (size_t i = 0; i < p->sites.n; i++) {
		const struct probe_site *s = p->sites.v[i];

		if (pc > s->addr && pc - s->addr <= (s->size ? s->size : UNKNOWN_SIZE) &&
		    s->probe->family != FAMILY_MAP && !s->resolver)
			return true;
	}
	return false;
}

bool image_has_malloc(const struct module *m)
{
	return (uintptr_t)m->user & MOD_ALLOCATOR;
}

bool image_c_library(const struct module *m)
{
	return (uintptr_t)m->user & MOD_C_LIBRARY;
}

bool image_own_allocator(const struct module *m)
{
	return (uintptr_t)m->user & MOD_ALLOCATOR && !((uintptr_t)m->user & MOD_C_LIBRARY);
}

bool image_allocator_library(struct proc *p, taddr_t pc)
{
	struct module *m = modules_find(&p->modules, pc);

	return m && (uintptr_t)m->user & MOD_ALLOCATOR && !((uintptr_t)m->user & MOD_C_LIBRARY) &&
	       !(p->entry >= m->start && p->entry < m->end);
}

bool image_own_operators(struct proc *p, taddr_t pc)
{
	/* std::get_new_handler(), which the C++ run-time library's operators call:
	 * it is linked in, and they are its. */
	static const char *const runtime[] = { "_ZSt15get_new_handlerv" };
	struct module *m = modules_find(&p->modules, pc);
	size_t hits = 0;

	if (!m || !m->file || !((uintptr_t)m->user & MOD_OPERATORS))
		return false;
	elf_file_find_functions(m->file, runtime, 1, SYMS_OWN, count_hit, &hits);
	return !hits;
}

/* -- indirect functions ---------------------------------------------------------------- */

void image_resolver_called(struct task *t, const struct probe_site *site, taddr_t ret)
{
	struct resolving r = { t->tid, regs_sp(&t->regs), site->id };

	if (bp_plant(t->proc, t, ret, BP_RESOLVED))
		vec_push(&t->proc->session->probes->resolving, r);
}

static void plant_resolved(struct proc *p, struct task *t, uint16_t id, taddr_t addr)
{
	struct planting pl = { .p = p, .stopped = t, .m = modules_find(&p->modules, addr) };

	if (!pl.m || addr < pl.m->text_start || addr >= pl.m->text_end)
		return;
	plant_site(&pl, id, addr, 0, false);
	p->probes_found += pl.found;
}

void image_resolver_returned(struct task *t, struct breakpoint *bp)
{
	struct probe_set *ps = t->proc->session->probes;
	const struct abi *abi = t->proc->abi;
	taddr_t addr = t->regs.w[abi->retval], sp = regs_sp(&t->regs) - abi->ret_pops;

	if (abi->word == 4)
		addr = (uint32_t)addr;
	for (size_t i = ps->resolving.n; i--;)
		if (ps->resolving.v[i].tid == t->tid && ps->resolving.v[i].sp == sp) {
			plant_resolved(t->proc, t, ps->resolving.v[i].id, addr);
			vec_remove(&ps->resolving, i);
		}
	if (!ps->resolving.n)
		bp_drop_role(t->proc, bp, BP_RESOLVED);
}

static const struct range_probe *range_at(const struct proc *p, taddr_t pc, bool throws)
{
	for (size_t i = 0; i < p->wrappers.n; i++)
		if (pc > p->wrappers.v[i].start && pc <= p->wrappers.v[i].end &&
		    p->wrappers.v[i].throws == throws)
			return &p->wrappers.v[i];
	return NULL;
}

const struct range_probe *image_wrapper(const struct proc *p, taddr_t pc)
{
	return range_at(p, pc, false);
}

bool image_throws(const struct proc *p, taddr_t pc)
{
	return range_at(p, pc, true) != NULL;
}

taddr_t image_code(struct proc *p, taddr_t addr)
{
	struct module *m = p->abi->code_bit ? modules_find(&p->modules, addr) : NULL;
	struct elf_symbol sym;

	if (m && m->file && elf_file_function_at(m->file, abi_code_addr(p->abi, addr) - m->bias, &sym))
		return addr | (sym.code & p->abi->code_bit);
	return addr | (p->entry & p->abi->code_bit);
}
