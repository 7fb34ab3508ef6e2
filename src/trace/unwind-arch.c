/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of which no call-frame information tells: hooks of the ABI read its own
 * tables (ARM's .ARM.exidx), the code of the function, and the code to which
 * signal handlers return. */
#include "unwind-internal.h"

/* As much code as is looked at where a function's size is not known. */
#define CODE_MAX 65536
#define TRAMPOLINE 8

/* An exact pc so far into a function may be in its prologue. */
#define PROLOGUE 64

/* Where w is, as an address of the module's file that is in the function: a
 * return address may be the next one's. */
static taddr_t vaddr_of(const struct walk *w, const struct module *m)
{
	return w->pc - !w->exact - m->bias;
}

static bool use_frame(const struct abi *abi, const struct abi_frame *f, enum frame_origin origin,
		      struct row_maker *m)
{
	struct saves *s = m->saves;
	int32_t from = f->signal ? 0 : f->cfa; /* what offsets in the set count from */

	saves_clear(s, f->ra_reg, f->signal);
	m->row->kind = f->outermost ? ROW_OUTERMOST : f->signal ? ROW_DEREF : ROW_OFFSET;
	m->row->cfa_reg = f->base;
	m->row->cfa_off = f->cfa;
	m->row->ra_off = f->ra_saved ? f->ra - from : 0;
	s->ra = !f->ra_saved ? RA_IN_REG : f->signal ? RA_AT_BASE : RA_AT_CFA;
	if (f->signal) {
		s->base_reg = f->base;
		s->mode_off = f->mode;
	} else {
		s->origin = (uint8_t)origin;
		s->doubtful = origin == FROM_PROLOGUE;
	}
	for (uint8_t reg = 0; reg < ABI_FRAME_REGS; reg++)
		if (f->saved >> reg & 1 && abi->dwarf_reg[reg] >= 0)
			saves_add(s, reg, f->off[reg] - from, f->signal);
	s->sp_saved = s->mask >> abi->dwarf_sp & 1;
	return true;
}

static bool trampoline(struct walk *w, const struct module *m, taddr_t pc, struct abi_frame *f)
{
	taddr_t at = abi_code_addr(w->abi, pc);
	uint8_t code[TRAMPOLINE];
	size_t n;

	if (!w->abi->sigreturn)
		return false;
	n = m && m->file ? elf_file_image(m->file, at - m->bias, code, sizeof code) : 0;
	for (uint64_t byte; n < sizeof code && unwind_mem_load(w->mem, at + n, 1, &byte); n++)
		code[n] = (uint8_t)byte;
	return w->abi->sigreturn(w->abi, pc, code, n, f);
}

bool unwind_is_trampoline(struct walk *w, taddr_t code)
{
	struct abi_frame f;

	return trampoline(w, modules_find(w->u->modules, abi_code_addr(w->abi, code)), code, &f);
}

bool row_of_signal(struct walk *w, const struct module *m, struct row_maker *out)
{
	struct abi_frame f;

	return trampoline(w, m, w->pc | w->mode, &f) && use_frame(w->abi, &f, FROM_SIGNAL, out);
}

bool row_of_exidx(struct walk *w, const struct module *m, struct row_maker *out)
{
	struct exidx_entry e;
	struct abi_frame f;

	return w->abi->exidx && elf_file_exidx(m->file, vaddr_of(w, m), &e) == EXIDX_OPS &&
	       w->abi->exidx(w->abi, e.ops, e.n, &f) && use_frame(w->abi, &f, FROM_EXIDX, out);
}

/* Where the code begins of which vaddr is a part. */
static taddr_t text_start(const struct module *m, taddr_t vaddr)
{
	const struct elf_segment *seg;
	size_t n = elf_file_segments(m->file, &seg);

	while (n && seg[n - 1].vaddr > vaddr)
		n--;
	return n ? seg[n - 1].vaddr : vaddr;
}

/* The last function of which is known where it begins: `unknown` behind vaddr: it
 * is that one.  An entry of the table may cover several. */
static void known_function(const struct module *m, taddr_t vaddr, struct abi_code *c)
{
	taddr_t low = vaddr - MIN(vaddr, CODE_MAX), start = text_start(m, vaddr);
	struct exidx_entry e;
	struct elf_symbol sym;

	c->start = c->unknown = MAX(start, low);
	c->end = vaddr + CODE_MAX;
	if (elf_file_exidx(m->file, vaddr, &e) != EXIDX_NONE && e.start >= c->start) {
		c->start = c->unknown = e.start;
		c->end = e.end;
	}
	if (!elf_file_function_at(m->file, vaddr, &sym) &&
	    !elf_file_function_before(m->file, vaddr, &sym))
		return;
	if (sym.value > vaddr || sym.value < c->start)
		return;
	c->start = sym.value;
	c->unknown = sym.size ? sym.value + sym.size : c->end;
	if (c->unknown > vaddr)
		c->end = MIN(c->end, c->unknown);
}

static bool find_code(const struct module *m, taddr_t vaddr, struct abi_code *c)
{
	uint64_t len = 0;

	known_function(m, vaddr, c);
	c->bytes = elf_file_code(m->file, c->start, &len);
	c->end = MIN(c->end, c->start + MIN(len, 2 * CODE_MAX));
	return c->bytes && c->end > vaddr;
}

bool row_of_prologue(struct walk *w, const struct module *m, struct row_maker *out)
{
	struct abi_code code;
	struct abi_frame f;

	return w->abi->prologue && find_code(m, vaddr_of(w, m), &code) &&
	       w->abi->prologue(w->abi, &code, (w->pc - m->bias) | w->mode, &f) &&
	       use_frame(w->abi, &f, FROM_PROLOGUE, out);
}

bool unwind_in_prologue(struct walk *w, const struct module *m)
{
	int32_t into = w->exact ? unwind_into_function(m, w->pc) : -1;

	return into >= 0 && into < PROLOGUE;
}
