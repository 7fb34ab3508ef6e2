/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From call-frame information to rows.  Three shapes make up nearly all code:
 *
 *   CFA = reg + off, registers at CFA + off         compilers' ordinary output
 *   CFA = *(reg + off), registers at reg + off      realigned frames, signal
 *                                                   trampolines
 *   the return address is undefined                 _start, clone
 *
 * What has no such shape (a PLT's CFA depends on the pc) is kept as the
 * operations that libdw returned, for the evaluator. */
#include <dwarf.h>
#include <errno.h>

#include "unwind-internal.h"

/* One register's rule as libdw tells it. */
struct rule {
	Dwarf_Op mem[3];
	Dwarf_Op *ops;
	size_t n;
};

enum rule_shape { RULE_SAME, RULE_UNDEFINED, RULE_AT_CFA, RULE_AT_BASE, RULE_IS_CFA, RULE_OTHER };

static bool get_rule(const struct abi *abi, Dwarf_Frame *frame, unsigned reg, struct rule *r)
{
	return dwarf_frame_register(frame, (int)abi_dwarf_number(abi, reg), r->mem, &r->ops,
				    &r->n) == 0;
}

static bool is_breg(const Dwarf_Op *op, uint64_t *reg, int64_t *off)
{
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		*reg = (uint64_t)(op->atom - DW_OP_breg0);
		*off = (int64_t)op->number;
		return true;
	}
	if (op->atom == DW_OP_bregx) {
		*reg = op->number;
		*off = (int64_t)op->number2;
		return true;
	}
	return false;
}

static bool fits(int64_t off, int32_t *out)
{
	*out = (int32_t)off;
	return *out == off;
}

static enum rule_shape shape_of(const struct abi *abi, const struct rule *r, uint8_t *base,
				int32_t *off)
{
	uint64_t number;
	int64_t o;
	int reg;

	if (!r->n)
		return r->ops ? RULE_UNDEFINED : RULE_SAME;
	if (r->ops[0].atom != DW_OP_call_frame_cfa)
		return RULE_OTHER;
	*off = 0;
	if (r->n == 1)
		return RULE_AT_CFA;
	if (r->n != 2)
		return RULE_OTHER;
	if (r->ops[1].atom == DW_OP_stack_value)
		return RULE_IS_CFA;
	if (r->ops[1].atom == DW_OP_plus_uconst && fits((int64_t)r->ops[1].number, off))
		return RULE_AT_CFA;
	if (is_breg(&r->ops[1], &number, &o) && (reg = abi_dwarf_known(abi, number)) >= 0 &&
	    fits(o, off)) {
		*base = (uint8_t)reg;
		return RULE_AT_BASE;
	}
	return RULE_OTHER;
}

static bool reduce_cfa(const struct abi *abi, Dwarf_Frame *frame, struct row *row)
{
	Dwarf_Op *ops;
	uint64_t number;
	int64_t off;
	size_t n;
	int reg;

	if (dwarf_frame_cfa(frame, &ops, &n) != 0 || n < 1 || n > 2)
		return false;
	if (!is_breg(&ops[0], &number, &off) || !fits(off, &row->cfa_off))
		return false;
	reg = abi_dwarf_known(abi, number);
	if (reg < 0)
		return false;
	if (n == 2 && ops[1].atom != DW_OP_deref)
		return false;
	row->kind = n == 2 ? ROW_DEREF : ROW_OFFSET;
	row->cfa_reg = (uint8_t)reg;
	return true;
}

/* One base for the whole set, because it is read before anything changes. */
static bool set_base(struct saves *s, uint8_t base)
{
	if (s->base_reg != NO_BASE && s->base_reg != base)
		return false;
	s->base_reg = base;
	return true;
}

void saves_add(struct saves *s, uint8_t reg, int32_t off, bool from_base)
{
	s->mask |= 1ull << reg;
	s->s[s->n++] = (struct save){ .reg = reg, .off = off, .from_base = from_base };
}

static bool reduce_ra(const struct abi *abi, Dwarf_Frame *frame, struct row_maker *m)
{
	struct rule rule;
	uint8_t base;

	if (!get_rule(abi, frame, m->saves->ra_reg, &rule))
		return false;
	switch (shape_of(abi, &rule, &base, &m->row->ra_off)) {
	case RULE_UNDEFINED:
		m->row->kind = ROW_OUTERMOST;
		return true;
	case RULE_SAME:
		m->row->ra_off = 0;
		m->saves->ra = RA_IN_REG;
		return true;
	case RULE_AT_CFA:
		m->saves->ra = RA_AT_CFA;
		return true;
	case RULE_AT_BASE:
		m->saves->ra = RA_AT_BASE;
		return set_base(m->saves, base);
	default:
		return false;
	}
}

static bool reduce_reg(const struct abi *abi, Dwarf_Frame *frame, uint8_t reg, struct saves *s)
{
	struct rule rule;
	uint8_t base;
	int32_t off;

	if (!get_rule(abi, frame, reg, &rule))
		return false;
	switch (shape_of(abi, &rule, &base, &off)) {
	case RULE_SAME:      /* of the stack pointer: it is the CFA by definition */
	case RULE_UNDEFINED: /* nobody will ask for it */
		return true;
	case RULE_IS_CFA:
		return reg == abi->dwarf_sp;
	case RULE_AT_CFA:
		saves_add(s, reg, off, false);
		return true;
	case RULE_AT_BASE:
		if (!set_base(s, base))
			return false;
		saves_add(s, reg, off, true);
		return true;
	default:
		return false;
	}
}

static bool wanted(const struct abi *abi, unsigned reg, unsigned ra_reg)
{
	return reg != abi->dwarf_pc && reg != ra_reg && abi->dwarf_reg[reg] >= 0;
}

static bool reduce(const struct abi *abi, Dwarf_Frame *frame, struct row_maker *m)
{
	struct saves *s = m->saves;

	if (!reduce_cfa(abi, frame, m->row) || !reduce_ra(abi, frame, m))
		return false;
	if (m->row->kind == ROW_OUTERMOST)
		return true;
	for (unsigned reg = 0; reg < abi->ndwarf; reg++) {
		if (wanted(abi, reg, s->ra_reg) && !reduce_reg(abi, frame, (uint8_t)reg, s))
			return false;
	}
	s->sp_saved = s->mask >> abi->dwarf_sp & 1;
	return true;
}

/* The rules of a frame that does not reduce, in one piece of memory: libdw's
 * operations may go with the file. */
static struct full_row *copy_rules(const struct abi *abi, Dwarf_Frame *frame, const Dwarf_Op *cfa,
				   size_t ncfa, uint8_t ra_reg)
{
	VEC(Dwarf_Op) ops = { 0 };
	struct full_row *f = xcalloc(1, sizeof *f + (ABI_MAX_DWARF + 1) * sizeof f->regs[0]);
	struct rule rule;
	Dwarf_Op *to;

	for (size_t i = 0; i < ncfa; i++)
		vec_push(&ops, cfa[i]);
	for (unsigned reg = 0; reg < abi->ndwarf; reg++) {
		if (reg != ra_reg && !wanted(abi, reg, ra_reg))
			continue;
		if (!get_rule(abi, frame, reg, &rule) || !rule.n)
			continue;
		for (size_t i = 0; i < rule.n; i++)
			vec_push(&ops, rule.ops[i]);
		f->regs[f->nregs++] = (struct full_rule){ .reg = (uint8_t)reg, .n = rule.n };
	}
	f = xrealloc(f, 1, sizeof *f + f->nregs * sizeof f->regs[0] + ops.n * sizeof *to);
	to = (Dwarf_Op *)&f->regs[f->nregs];
	memcpy(to, ops.v, ops.n * sizeof *to);
	f->cfa = to;
	f->ncfa = ncfa;
	to += ncfa;
	for (size_t i = 0; i < f->nregs; to += f->regs[i++].n)
		f->regs[i].ops = to;
	vec_release(&ops);
	return f;
}

static bool make_full(const struct abi *abi, Dwarf_Frame *frame, bool signal, struct row_maker *m)
{
	struct rule rule;
	Dwarf_Op *cfa;
	size_t n;

	if (dwarf_frame_cfa(frame, &cfa, &n) != 0 || !n || n > UINT16_MAX)
		return false;
	if (!get_rule(abi, frame, m->saves->ra_reg, &rule))
		return false;
	if (!rule.n && rule.ops) {
		m->row->kind = ROW_OUTERMOST;
		return true;
	}
	m->full = copy_rules(abi, frame, cfa, n, m->saves->ra_reg);
	m->full->signal = signal;
	m->full->ra_reg = m->saves->ra_reg;
	m->row->kind = ROW_FULL;
	return true;
}

/* A return address below the stack pointer would be gone with the next signal.
 * (glibc's memcpy for i386 forgets two pushes behind some of its returns.) */
static bool impossible(const struct abi *abi, const struct row_maker *m)
{
	return m->row->kind == ROW_OFFSET && m->row->cfa_reg == abi->dwarf_sp &&
	       m->saves->ra == RA_AT_CFA && (int64_t)m->row->cfa_off + m->row->ra_off < 0;
}

void saves_clear(struct saves *s, int ra_reg, bool signal)
{
	memset(s, 0, SAVES_MAX_BYTES);
	s->base_reg = NO_BASE;
	s->ra_reg = (uint8_t)ra_reg;
	s->signal = signal;
	s->origin = signal ? FROM_SIGNAL : FROM_ROW;
}

bool row_make(const struct abi *abi, Dwarf_CFI *cfi, taddr_t vaddr, struct row_maker *m)
{
	Dwarf_Addr start, end;
	Dwarf_Frame *frame;
	bool signal, ok;
	int ra_reg;

	m->row->kind = ROW_NO_CFI;
	m->full = NULL;
	m->end = 0;
	if (!cfi || dwarf_cfi_addrframe(cfi, vaddr, &frame) != 0)
		return false;
	ra_reg = dwarf_frame_info(frame, &start, &end, &signal);
	m->end = end;
	ra_reg = ra_reg < 0 ? -1 : abi_dwarf_known(abi, (uint64_t)ra_reg);
	ok = ra_reg >= 0;
	if (ok) {
		saves_clear(m->saves, ra_reg, signal);
		ok = reduce(abi, frame, m) ? !impossible(abi, m)
					   : make_full(abi, frame, signal, m);
	}
	if (!ok)
		m->row->kind = ROW_NO_CFI;
	free(frame);
	return ok;
}
