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

bool row_of_signal(struct walk *w, const struct module *m, struct row_maker *out)
{
	uint8_t code[TRAMPOLINE];
	struct abi_frame f;
	size_t n;

	if (!w->abi->sigreturn)
		return false;
	n = m && m->file ? elf_file_image(m->file, w->pc - m->bias, code, sizeof code) : 0;
	for (uint64_t byte; n < sizeof code && unwind_mem_load(w->mem, w->pc + n, 1, &byte); n++)
		code[n] = (uint8_t)byte;
	return w->abi->sigreturn(w->abi, w->pc | w->mode, code, n, &f) &&
	       use_frame(w->abi, &f, FROM_SIGNAL, out);
}

bool row_of_exidx(struct walk *w, const struct module *m, struct row_maker *out)
{
	struct exidx_entry e;
	struct abi_frame f;

	return w->abi->exidx && elf_file_exidx(m->file, vaddr_of(w, m), &e) == EXIDX_OPS &&
	       w->abi->exidx(w->abi, e.ops, e.n, &f) && use_frame(w->abi, &f, FROM_EXIDX, out);
}

/* The function's code: what its symbol covers, else an entry of the table, which
 * may cover several; the function is in it somewhere. */
static bool find_code(const struct module *m, taddr_t vaddr, struct abi_code *c)
{
	struct exidx_entry e;
	struct elf_symbol sym;
	uint64_t len = 0;

	c->begins = elf_file_function_at(m->file, vaddr, &sym) && sym.value <= vaddr;
	if (c->begins) {
		c->start = sym.value;
		c->end = sym.size ? sym.value + sym.size : vaddr + CODE_MAX;
	} else if (elf_file_exidx(m->file, vaddr, &e) != EXIDX_NONE) {
		c->start = MAX(e.start, vaddr - MIN(vaddr, CODE_MAX));
		c->end = e.end;
	} else {
		return false;
	}
	if (vaddr - c->start > CODE_MAX)
		return false;
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
