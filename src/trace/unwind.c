/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk from frame to frame.
 *
 * A register that a function saved is not read at once: the walk keeps where
 * it was saved, and reads it when a frame's CFA is computed from it.  Most are
 * never asked for. */
#include <errno.h>

#include "unwind-internal.h"

/* A frame that is not computed from the stack pointer may lie on another
 * stack (coroutines, split stacks), so it need not be above its callee.  So
 * often that happens in one backtrace before it is taken for damage. */
#define STACK_SWITCHES_MAX 8

/* -- registers ------------------------------------------------------------- */

/* Only what this machine has. */
static bool expr_reg(void *arg, unsigned reg, uint64_t *v)
{
	struct walk *w = arg;

	if (reg >= w->abi->ndwarf || w->abi->dwarf_reg[reg] < 0)
		return false;
	return get_reg(w, reg, v);
}

/* As call-frame information numbers them. */
static bool cfi_reg(void *arg, unsigned number, uint64_t *v)
{
	struct walk *w = arg;
	int reg = abi_dwarf_known(w->abi, number);

	return reg >= 0 && expr_reg(w, (unsigned)reg, v);
}

static bool expr_load(void *arg, taddr_t addr, unsigned size, uint64_t *v)
{
	struct walk *w = arg;

	return unwind_mem_load(w->mem, addr, size, v);
}

static void move_to(struct walk *w, taddr_t pc, taddr_t sp)
{
	w->pc = pc & w->mem->mask;
	w->sp = sp & w->mem->mask;
	set_reg(w, w->abi->dwarf_pc, w->pc);
	set_reg(w, w->abi->dwarf_sp, w->sp);
}

/* -- rows ------------------------------------------------------------------ */

/* The module in whose text pc is.  When there is none, the modules may be out
 * of date: on the 1st, 2nd, 4th, 8th … sight of this pc that is asked. */
static struct module *find_module(struct unwinder *u, taddr_t pc, uint32_t seen)
{
	struct module *m = modules_find(u->modules, pc);

	if (in_text(m, pc))
		return m;
	if ((seen & (seen - 1)) || !u->refresh || !u->refresh(u->arg))
		return NULL;
	m = modules_find(u->modules, pc);
	return in_text(m, pc) ? m : NULL;
}

bool unwinder_executable(struct unwinder *u, taddr_t pc, bool again)
{
	const struct map_line *l;

	if (in_text(modules_find(u->modules, pc), pc))
		return true;
	l = u->have_maps ? maps_find(&u->maps, pc) : NULL;
	if (l || (u->have_maps && !again))
		return l && l->x;
	if (u->have_maps)
		maps_release(&u->maps);
	u->have_maps = maps_read(&u->maps, u->modules->pid) == 0;
	l = u->have_maps ? maps_find(&u->maps, pc) : NULL;
	return l && l->x;
}

static bool row_of_cfi(struct walk *w, const struct module *m, int which, struct row_maker *out)
{
	return row_make(w->abi, elf_file_cfi(m->file, which), out->row->pc - m->bias, out);
}

/* What is right at each instruction comes first, where w may be at any. */
static bool make_row(struct walk *w, const struct module *m, struct row_maker *out)
{
	if (!m->file)
		return false;
	return row_of_signal(w, m, out) || row_of_cfi(w, m, CFI_EH_FRAME, out) ||
	       (!w->exact && row_of_exidx(w, m, out)) || row_of_cfi(w, m, CFI_DEBUG_FRAME, out) ||
	       row_of_given(w->u->given, w->abi, m->file, out->row->pc - m->bias, out) ||
	       (unwind_in_prologue(w, m) && row_of_prologue(w, m, out)) ||
	       row_of_exidx(w, m, out) || row_of_prologue(w, m, out);
}

static void fill_row(struct walk *w, const struct module *m, struct row *row)
{
	struct unwinder *u = w->u;
	struct row_maker maker = { .row = row, .saves = &u->scratch.saves };
	int n;

	row->module = m ? m->id : 0;
	if (m ? !make_row(w, m, &maker) : !row_of_signal(w, NULL, &maker))
		row->kind = m ? ROW_NO_CFI : ROW_UNKNOWN;
	switch (row->kind) {
	case ROW_NO_CFI:
		row->cfa_off = unwind_into_function(m, row->pc);
		break;
	case ROW_OFFSET:
	case ROW_DEREF:
		n = row_table_intern(&u->rows, maker.saves);
		row->saves = (uint16_t)MAX(n, 0);
		if (n < 0) {
			row->kind = ROW_NO_CFI;
			row->cfa_off = -1;
		}
		break;
	case ROW_FULL:
		row->cfa_off = row_table_keep(&u->rows, maker.full);
		break;
	}
}

/* No row yet, or one that says that nothing is known. */
static const struct row *row_miss(struct walk *w, taddr_t at, struct row *row)
{
	struct unwinder *u = w->u;
	uint32_t seen = row ? (uint32_t)row->cfa_off + 1 : 1;
	struct row fresh = { .pc = at, .kind = ROW_UNKNOWN };
	struct module *m = find_module(u, at, seen);

	if (row)
		row = row_table_find(&u->rows, at); /* refresh moves rows */
	if (m)
		u->stats.row_misses++;
	fill_row(w, m, &fresh);
	if (fresh.kind == ROW_UNKNOWN)
		fresh.cfa_off = (int32_t)MIN(seen, (uint32_t)INT32_MAX);
	if (!row)
		return row_table_add(&u->rows, &fresh);
	*row = fresh;
	return row;
}

static inline const struct row *get_row(struct walk *w)
{
	taddr_t at = w->exact ? w->pc : w->pc - 1;
	struct row *row;

	if (!at)
		at = 1; /* 0 means free in the table; nothing is at either */
	row = row_table_find(&w->u->rows, at);
	if (__builtin_expect(row && row->kind != ROW_UNKNOWN, 1))
		return row;
	return row_miss(w, at, row);
}

/* -- steps ----------------------------------------------------------------- */

/* The stack grows towards its outermost frame.  `same_stack`: the new frame's
 * place was computed from the stack pointer. */
static bool progress(struct walk *w, taddr_t sp, bool same_stack)
{
	if (sp > w->sp)
		return true;
	if (sp == w->sp) /* a leaf that keeps the return address in a register */
		return w->abi->link >= 0 && (w->exact || w->out->n == 1);
	return !same_stack && ++w->switches <= STACK_SWITCHES_MAX;
}

enum step walk_arrive(struct walk *w, taddr_t pc, taddr_t sp, enum frame_origin origin)
{
	bool signal = origin == FROM_SIGNAL;

	pc = plain_code(w->u, pc) & w->mem->mask;
	if (!abi_code_addr(w->abi, pc) && !signal)
		return STEP_OUTERMOST;
	w->mode = pc & w->abi->code_bit;
	pc = abi_code_addr(w->abi, pc);
	w->exact = signal;
	w->origin = (uint8_t)origin;
	move_to(w, pc, sp);
	return STEP_ON;
}

static bool row_ra(struct walk *w, const struct row *row, const struct saves *s, taddr_t cfa,
		   uint64_t base, uint64_t *ra)
{
	taddr_t off = (taddr_t)(int64_t)row->ra_off;

	switch (s->ra) {
	case RA_AT_CFA:
		return unwind_mem_word(w->mem, (cfa + off) & w->mem->mask, ra);
	case RA_AT_BASE:
		return unwind_mem_word(w->mem, (base + off) & w->mem->mask, ra);
	default:
		return expr_reg(w, s->ra_reg, ra);
	}
}

/* As if nothing were known of the function. */
static enum step step_unknown(struct walk *w, const struct row *row)
{
	const struct module *m = modules_find(w->u->modules, row->pc);
	struct row blind = { .pc = row->pc, .module = row->module, .kind = ROW_NO_CFI, .cfa_off = -1 };

	if (m)
		blind.cfa_off = unwind_into_function(m, row->pc);
	return walk_blind(w, &blind);
}

/* The instruction set of the interrupted frame. */
static taddr_t interrupted_mode(struct walk *w, const struct saves *s, uint64_t base)
{
	uint64_t v;

	return s->mode_off && unwind_mem_load(w->mem, base + (taddr_t)(int64_t)s->mode_off, 4, &v) &&
			       v & w->abi->mode_mask
		       ? w->abi->code_bit
		       : 0;
}

static enum step step_row(struct walk *w, const struct row *row)
{
	const struct saves *s = w->u->rows.saves.v[row->saves];
	uint64_t mask = w->mem->mask, cfa, base = 0, ra, sp;

	if (!get_reg(w, row->cfa_reg, &cfa))
		return STEP_LOST;
	cfa = (cfa + (uint64_t)(int64_t)row->cfa_off) & mask;
	if (row->kind == ROW_DEREF && !unwind_mem_word(w->mem, cfa, &cfa))
		return STEP_LOST;
	if (s->base_reg != NO_BASE && !expr_reg(w, s->base_reg, &base))
		return STEP_LOST;
	if (!row_ra(w, row, s, cfa, base, &ra))
		return STEP_LOST;
	if (__builtin_expect(s->doubtful, 0) && !unwind_after_call(w, ra) &&
	    !unwind_is_trampoline(w, ra))
		return step_unknown(w, row);
	if (__builtin_expect(s->signal, 0))
		ra |= interrupted_mode(w, s, base);
	for (unsigned i = 0; i < s->n; i++) {
		const struct save *v = &s->s[i];

		w->val[v->reg] = ((v->from_base ? base : cfa) + (uint64_t)(int64_t)v->off) & mask;
	}
	w->in_mem |= s->mask;
	if (s->mask >> w->abi->dwarf_fp & 1)
		w->fp_lost = false;
	sp = cfa;
	if (s->sp_saved && !get_reg(w, w->abi->dwarf_sp, &sp))
		return STEP_LOST;
	if (!s->signal && !progress(w, sp, row->kind == ROW_OFFSET && row->cfa_reg == w->abi->dwarf_sp))
		return STEP_LOST;
	return walk_arrive(w, ra, sp, s->origin);
}

/* All rules are evaluated with this frame's registers before any changes. */
static enum step step_full(struct walk *w, const struct full_row *f)
{
	struct expr_env env = { .reg = cfi_reg, .load = expr_load, .arg = w,
				.mask = w->mem->mask, .word = w->abi->word };
	struct { uint64_t v; int kind; } res[ABI_MAX_DWARF];
	uint64_t ra, sp;

	w->u->stats.evaluated++;
	if (expr_eval(&env, f->cfa, f->ncfa, &env.cfa) < 0)
		return STEP_LOST;
	for (size_t i = 0; i < f->nregs; i++)
		res[i].kind = expr_eval(&env, f->regs[i].ops, f->regs[i].n, &res[i].v);
	set_reg(w, w->abi->dwarf_sp, env.cfa);
	for (size_t i = 0; i < f->nregs; i++) {
		unsigned reg = f->regs[i].reg;

		if (res[i].kind < 0) {
			if (reg == f->ra_reg)
				return STEP_LOST;
			continue;
		}
		set_reg(w, reg, res[i].v);
		if (res[i].kind == EXPR_ADDRESS)
			w->in_mem |= 1ull << reg;
	}
	if (!get_reg(w, f->ra_reg, &ra) || !get_reg(w, w->abi->dwarf_sp, &sp))
		return STEP_LOST;
	if (!f->signal && !progress(w, sp, false))
		return STEP_LOST;
	return walk_arrive(w, ra, sp, f->signal ? FROM_SIGNAL : FROM_CFI);
}

static enum step step(struct walk *w, const struct row *row)
{
	switch (row->kind) {
	case ROW_OFFSET:
		if (w->fp_lost && row->cfa_reg == w->abi->dwarf_fp)
			walk_find_fp(w, row);
		return step_row(w, row);
	case ROW_DEREF:
		return step_row(w, row);
	case ROW_FULL:
		return step_full(w, w->u->rows.full.v[row->cfa_off]);
	case ROW_OUTERMOST:
		return STEP_OUTERMOST;
	default:
		return walk_blind(w, row);
	}
}

/* -- the walk -------------------------------------------------------------- */

static void add_frame(struct walk *w, uint32_t module)
{
	struct backtrace *b = w->out;

	b->pc[b->n] = w->pc;
	b->cfa[b->n] = w->sp;
	b->module[b->n] = module;
	b->exact[b->n] = w->exact;
	b->origin[b->n] = w->origin;
	b->n++;
}

static void finish(struct walk *w, enum stack_end end)
{
	struct backtrace *b = w->out;

	b->end = (uint8_t)end;
	b->broke_at = end == STACK_BROKEN && b->n ? b->pc[b->n - 1] : 0;
	w->u->stats.backtraces++;
	w->u->stats.frames += b->n;
}

/* The registers of this frame, and its stack, while the task is stopped. */
static void keep_rest(struct walk *w)
{
	struct unwind_rest *r = &w->out->rest;
	ssize_t n;

	n = w->u->reader.read(w->u->reader.arg, w->sp, r->bytes, sizeof r->bytes);
	r->len = n > 0 ? (size_t)n : 0;
	r->there = r->len > 0;
	r->exact = w->exact;
	r->abi = w->abi;
	r->code = w->pc | w->mode;
	r->sp = w->sp;
	r->known = 0;
	for (unsigned reg = 0; reg < w->abi->ndwarf; reg++) {
		r->reg[reg] = 0;
		if (w->abi->dwarf_reg[reg] >= 0 && get_reg(w, reg, &r->reg[reg]))
			r->known |= 1ull << reg;
	}
}

/* A "return address" that points to no code is no frame: the one before it
 * was not unwound properly.  An exact pc is what it is. */
static bool plausible(struct walk *w, const struct row *row)
{
	return row->kind != ROW_UNKNOWN || w->exact ||
	       unwinder_executable(w->u, w->pc - 1, row->cfa_off == 1);
}

static void walk(struct walk *w, unsigned depth)
{
	depth = MIN(MAX(depth, 1u), (unsigned)UNWIND_MAX_DEPTH);
	for (;;) {
		const struct row *row = get_row(w);

		if (__builtin_expect(!plausible(w, row), 0)) {
			finish(w, STACK_BROKEN);
			return;
		}
		add_frame(w, row->module);
		if (w->out->n == depth) {
			finish(w, row->kind == ROW_OUTERMOST ? STACK_COMPLETE : STACK_CUT);
			return;
		}
		switch (step(w, row)) {
		case STEP_ON:
			break;
		case STEP_OUTERMOST:
			finish(w, STACK_COMPLETE);
			return;
		case STEP_LOST:
			if (w->unknown && (w->u->keep_rest || given_rows_rest(w->u->given)))
				keep_rest(w);
			finish(w, STACK_BROKEN);
			return;
		}
	}
}

static void begin(struct walk *w, struct unwinder *u, const struct regs *regs,
		  const struct stack_copy *stack, struct backtrace *out)
{
	const struct abi *abi = regs->abi ? regs->abi : u->abi;

	w->u = u;
	w->mem = &u->mem;
	w->abi = abi;
	w->out = out;
	w->in_mem = 0;
	w->switches = 0;
	w->fp_lost = false;
	w->unknown = false;
	w->exact = 1;
	w->origin = FROM_REGS;
	out->n = 0;
	out->rest.there = false;
	unwind_mem_begin(w->mem, abi, stack);
	for (unsigned i = 0; i < ABI_MAX_DWARF; i++) {
		int at = i < abi->ndwarf ? abi->dwarf_reg[i] : -1;

		w->val[i] = at >= 0 ? regs->w[at] & w->mem->mask : 0;
	}
	w->mode = regs->abi ? regs_code(regs) & abi->code_bit : 0;
	move_to(w, regs->w[abi->pc], regs->w[abi->sp]);
}

void unwind_any(struct unwinder *u, const struct regs *regs, const struct stack_copy *stack,
		unsigned depth, struct backtrace *out)
{
	struct walk w;

	begin(&w, u, regs, stack, out);
	walk(&w, depth);
}

void unwind_entry(struct unwinder *u, const struct regs *regs, const struct stack_copy *stack,
		  unsigned depth, struct backtrace *out)
{
	struct walk w;
	uint64_t ra;

	begin(&w, u, regs, stack, out);
	if (w.abi->link >= 0)
		ra = regs->w[w.abi->link];
	else if (!unwind_mem_word(w.mem, w.sp, &ra))
		ra = 0;
	if (ra & w.mem->mask) {
		walk_arrive(&w, ra, w.sp + w.abi->ret_pops, FROM_LINK);
		walk(&w, depth);
	} else {
		add_frame(&w, 0);
		finish(&w, STACK_BROKEN);
	}
}

void unwind_rest(struct unwinder *u, const struct unwind_rest *r, unsigned depth,
		 struct backtrace *out)
{
	struct regs regs = { .abi = r->abi };
	struct stack_copy stack = { .addr = r->sp, .len = r->len, .cap = r->len,
				    .bytes = (uint8_t *)(uintptr_t)r->bytes };
	struct walk w;

	for (unsigned reg = 0; reg < r->abi->ndwarf; reg++)
		if (r->abi->dwarf_reg[reg] >= 0)
			regs.w[r->abi->dwarf_reg[reg]] = r->reg[reg];
	regs.w[r->abi->sp] = r->sp;
	regs_set_code(&regs, r->code);
	begin(&w, u, &regs, &stack, out);
	w.exact = r->exact;
	walk(&w, depth);
}

void unwinder_keep_rest(struct unwinder *u, bool on)
{
	u->keep_rest = on;
}

/* -- one address space ----------------------------------------------------- */

struct unwinder *unwinder_new(const struct abi *abi, struct modules *modules,
			      const struct mem_reader *mem,
			      bool (*refresh)(void *arg), void *arg)
{
	struct unwinder *u = xcalloc(1, sizeof *u);

	u->abi = abi;
	u->modules = modules;
	u->reader = *mem;
	u->refresh = refresh;
	u->arg = arg;
	u->code_mask = UINT64_MAX;
	u->mem.reader = &u->reader;
	u->mem.refills = &u->stats.refills;
	row_table_init(&u->rows);
	return u;
}

void unwinder_free(struct unwinder *u)
{
	if (!u)
		return;
	if (u->have_maps)
		maps_release(&u->maps);
	row_table_release(&u->rows);
	free(u);
}

void unwinder_forget(struct unwinder *u, taddr_t start, taddr_t end)
{
	row_table_forget(&u->rows, start, end);
	if (u->have_maps)
		maps_release(&u->maps);
	u->have_maps = false;
}

void unwinder_use_given(struct unwinder *u, struct given_rows *given)
{
	u->given = given;
}

void unwinder_set_code_mask(struct unwinder *u, uint64_t mask)
{
	u->code_mask = mask;
}

const struct unwind_stats *unwinder_stats(const struct unwinder *u)
{
	return &u->stats;
}
