/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of code without unwinding tables: what the instructions between the
 * function's beginning and a place in it have done to the stack pointer and to
 * the registers that a function must keep.
 *
 * All ways through the function are followed until one comes by that place, so
 * early returns, epilogues in the middle and registers that are pushed late
 * (shrink wrapping) do no harm: on each way to one instruction the stack pointer
 * is the same, unless it is moved by a number that is not known, or in a loop
 * (alloca); then the frame pointer is.  Where the code behind a call is reached by a jump as well, the
 * jump counts, because the function called may not return.  What no way leads
 * to is behind a jump through a register, and its frame is that of the jump. */
#include "arch/arm/unwind.h"
#include "base/xalloc.h"

#define STEPS_MAX 65536
#define PENDING 64   /* branches that are still to be followed */
#define CALLS 512    /* continuations of calls, which are followed last */
#define TARGETS 1024 /* of one table */

enum { NR_CLONE = 120, NR_CLONE3 = 435 };

/* Where a function's beginning is not known, a push of lr is looked for. */
#define SEARCH_BYTES 16384
#define SEARCH_TRIES 8
#define SEARCH_BEFORE 4 /* halfwords in which arguments may be pushed before that */

/* -- effects ------------------------------------------------------------------ */

static bool fits(int64_t v)
{
	return v > -(1 << 30) && v < 1 << 30;
}

/* The stack pointer moved up: what was saved below it has been restored. */
static void drop_slots(struct frame_state *s)
{
	for (unsigned reg = 0; reg < 16; reg++)
		if (s->saved >> reg & 1 && s->slot[reg] < s->reg[UNWIND_SP].v)
			s->saved &= ~(1u << reg);
}

void frame_set(struct frame_state *s, unsigned reg, enum what what, int64_t v)
{
	if (what == ON_STACK && !fits(v))
		what = ANYTHING;
	s->reg[reg].what = (uint8_t)what;
	s->reg[reg].v = (int32_t)v;
	if (reg == UNWIND_SP && what == ON_STACK)
		drop_slots(s);
	if (reg == UNWIND_LR && what == CONSTANT && !(int32_t)v)
		s->no_caller = true;
}

void frame_add(struct frame_state *s, unsigned rd, unsigned rn, int64_t imm)
{
	struct value n = s->reg[rn];

	if (n.what == ON_STACK || n.what == CONSTANT)
		frame_set(s, rd, n.what, n.v + imm);
	else
		frame_set(s, rd, ANYTHING, 0);
}

void frame_add_reg(struct frame_state *s, unsigned rd, unsigned rn, unsigned rm, bool minus)
{
	struct value n = s->reg[rn], m = s->reg[rm];

	if (m.what == CONSTANT)
		frame_add(s, rd, rn, minus ? -(int64_t)m.v : m.v);
	else if (n.what == CONSTANT && m.what == ON_STACK && !minus)
		frame_set(s, rd, ON_STACK, (int64_t)n.v + m.v);
	else
		frame_set(s, rd, ANYTHING, 0);
}

void frame_move(struct frame_state *s, unsigned rd, unsigned rm)
{
	frame_set(s, rd, s->reg[rm].what, s->reg[rm].v);
	s->lr_is_next = rd == UNWIND_LR && rm == UNWIND_PC;
}

/* r4 … r11, which a function has not changed when it stores them first. */
#define KEPT 0xff0u

static void store(struct frame_state *s, unsigned reg, int64_t at)
{
	unsigned what = s->reg[reg].what == RETURN_ADDRESS ? UNWIND_LR
			: KEPT >> reg & 1		    ? reg
							    : 0;

	if (!what || s->saved >> what & 1 || at >= 0 || !fits(at))
		return;
	s->saved |= 1u << what;
	s->slot[what] = (int32_t)at;
}

void frame_store(struct frame_state *s, unsigned set, unsigned rn, int32_t off)
{
	int64_t at = (int64_t)s->reg[rn].v + off;

	if (s->reg[rn].what != ON_STACK)
		return;
	for (unsigned reg = 0; reg < 15; reg++) {
		if (!(set >> reg & 1))
			continue;
		store(s, reg, at);
		at += 4;
	}
}

static void load(struct frame_state *s, unsigned reg, bool known, int64_t at)
{
	bool is_ra = known && s->saved >> UNWIND_LR & 1 && s->slot[UNWIND_LR] == at;

	if (known && reg != UNWIND_LR && s->saved >> reg & 1 && s->slot[reg] == at)
		s->saved &= ~(1u << reg);
	frame_set(s, reg, is_ra ? RETURN_ADDRESS : ANYTHING, 0);
}

void frame_load(struct frame_state *s, unsigned set, unsigned rn, int32_t off)
{
	int64_t at = (int64_t)s->reg[rn].v + off;
	bool known = s->reg[rn].what == ON_STACK;

	for (unsigned reg = 0; reg < 15; reg++) {
		if (!(set >> reg & 1))
			continue;
		load(s, reg, known, at);
		at += 4;
	}
}

void frame_syscall(struct frame_state *s)
{
	const struct value *nr = &s->reg[UNWIND_R7];

	s->no_caller |= nr->what == CONSTANT && (nr->v == NR_CLONE || nr->v == NR_CLONE3);
}

/* -- code --------------------------------------------------------------------- */

static bool code_get(const struct abi_code *c, taddr_t at, unsigned n, uint32_t *v)
{
	const uint8_t *p = c->bytes + (at - c->start);

	if (at < c->start || at > c->end || c->end - at < n)
		return false;
	*v = 0;
	while (n--)
		*v = *v << 8 | p[n];
	return true;
}

bool code_u8(const struct abi_code *c, taddr_t at, uint32_t *v) { return code_get(c, at, 1, v); }
bool code_u16(const struct abi_code *c, taddr_t at, uint32_t *v) { return code_get(c, at, 2, v); }
bool code_u32(const struct abi_code *c, taddr_t at, uint32_t *v) { return code_get(c, at, 4, v); }

/* -- all ways ----------------------------------------------------------------- */

struct place {
	taddr_t at;
	struct frame_state s;
};

struct explorer {
	const struct abi_code *code;
	taddr_t pc;
	bool thumb;
	unsigned steps;
	uint32_t *seen; /* for each halfword: the stack pointer (sp_mark) at the first
			   visit, 0: none yet */
	bool found;    /* a way came by the pc … */
	struct frame_state at_pc; /* … in this state */
	bool alloca;   /* somewhere the stack pointer gets lost */
	bool jumped;   /* there was a jump through a register … */
	struct frame_state at_jump; /* … in this state */
	unsigned npending, call, ncalls;
	struct place pending[PENDING], calls[CALLS];
};

static void follow(struct explorer *x, taddr_t at, const struct frame_state *s)
{
	if (x->npending < PENDING)
		x->pending[x->npending++] = (struct place){ at, *s };
}

static void follow_later(struct explorer *x, taddr_t at, struct frame_state *s)
{
	for (unsigned reg = 0; reg <= UNWIND_LR; reg++)
		if (reg < 4 || reg == 12 || reg == UNWIND_LR)
			frame_set(s, reg, ANYTHING, 0);
	s->lr_is_next = false;
	if (x->ncalls < CALLS)
		x->calls[x->ncalls++] = (struct place){ at, *s };
}

static bool next_place(struct explorer *x, struct place *p)
{
	if (x->npending)
		*p = x->pending[--x->npending];
	else if (x->call < x->ncalls)
		*p = x->calls[x->call++];
	else
		return false;
	return true;
}

/* Entry i of a table. */
static bool table_entry(const struct explorer *x, const struct insn *in, unsigned i, taddr_t *to)
{
	uint32_t v;

	*to = 0;
	switch (in->kind) {
	case TABLE_BYTES:
		*to = code_u8(x->code, in->table + i, &v) ? in->table + 2 * (taddr_t)v : 0;
		break;
	case TABLE_HALFWORDS:
		*to = code_u16(x->code, in->table + 2u * i, &v) ? in->table + 2 * (taddr_t)v : 0;
		break;
	case TABLE_WORDS:
		*to = code_u32(x->code, in->table + 4u * i, &v) ? v & ~1u : 0;
		break;
	case TABLE_BRANCHES:
		*to = in->table + 4u * i;
		return code_u32(x->code, *to, &v) && v >> 24 == 0xea;
	}
	return *to >= x->code->start && *to < x->code->end;
}

/* A table ends where the first of the places begins to which it leads. */
static void follow_table(struct explorer *x, const struct insn *in, const struct frame_state *s)
{
	unsigned size = in->kind == TABLE_BYTES ? 1 : in->kind == TABLE_HALFWORDS ? 2 : 4;
	taddr_t end = x->code->end, to, last = 0;

	for (unsigned i = 0; i < TARGETS && in->table + i * size < end; i++) {
		if (!table_entry(x, in, i, &to))
			break;
		if (to != last)
			follow(x, to, s);
		last = to;
		if (in->kind != TABLE_BRANCHES && to > in->table)
			end = MIN(end, to);
	}
}

static uint32_t sp_mark(const struct frame_state *s)
{
	const struct value *sp = &s->reg[UNWIND_SP];

	return sp->what == ON_STACK ? (uint32_t)sp->v << 2 | 2 : 1;
}

static bool first_visit(struct explorer *x, const struct place *p)
{
	uint32_t *seen = &x->seen[(p->at - x->code->start) / 2], now = sp_mark(&p->s);

	if (!*seen) {
		*seen = now;
		return true;
	}
	x->alloca |= *seen != now;
	return false;
}

/* A conditional instruction's effects may or may not be there. */
static void weaken(struct frame_state *s, const struct frame_state *done)
{
	for (unsigned reg = 0; reg < 15; reg++)
		if (reg != UNWIND_SP && (s->reg[reg].what != done->reg[reg].what ||
					 s->reg[reg].v != done->reg[reg].v))
			s->reg[reg].what = ANYTHING;
	s->conditional = done->conditional;
	s->lr_is_next = done->lr_is_next;
}

static bool step(struct explorer *x, struct place *p, struct insn *in)
{
	struct frame_state before = p->s;
	bool linked = before.lr_is_next;
	bool ok = x->thumb ? prologue_thumb_step(x->code, p->at, &p->s, in)
			   : prologue_arm_step(x->code, p->at, &p->s, in);

	if (linked)
		p->s.lr_is_next = false;
	x->alloca |= p->s.reg[UNWIND_SP].what == ANYTHING;
	if (!ok || !in->conditional)
		return ok;
	weaken(&before, &p->s);
	p->s = before;
	if (in->flow == FLOW_TABLE)
		return true;
	in->flow = in->flow == FLOW_JUMP				? FLOW_BRANCH
		   : in->flow == FLOW_END || in->flow == FLOW_AWAY ? FLOW_NEXT
								      : in->flow;
	return true;
}

/* A jump to another function has given the frame back before. */
static void note_jump(struct explorer *x, const struct frame_state *s)
{
	if (!x->jumped && s->saved >> UNWIND_LR & 1) {
		x->jumped = true;
		x->at_jump = *s;
	}
}

static void note_pc(struct explorer *x, const struct place *p)
{
	if (p->at == x->pc && !x->found) {
		x->found = true;
		x->at_pc = p->s;
	}
}

/* On from one place to where this way ends. */
static void explore(struct explorer *x, struct place *p)
{
	bool from_before = false;
	struct insn in;

	for (;; p->at += in.len) {
		note_pc(x, p);
		if (p->at == x->code->unknown && from_before)
			return; /* nothing falls out of a function */
		from_before = p->at < x->code->unknown;
		if (p->at < x->code->start || p->at >= x->code->end || !first_visit(x, p) ||
		    x->steps++ >= STEPS_MAX || !step(x, p, &in))
			return;
		switch (in.flow) {
		case FLOW_NEXT:
			break;
		case FLOW_CALL:
			follow_later(x, p->at + in.len, &p->s);
			return;
		case FLOW_BRANCH:
			follow(x, in.to, &p->s);
			break;
		case FLOW_JUMP:
			p->at = in.to - in.len;
			from_before = false;
			break;
		case FLOW_TABLE:
			follow_table(x, &in, &p->s);
			if (!in.conditional)
				return;
			break;
		case FLOW_AWAY:
			note_jump(x, &p->s);
			return;
		case FLOW_END:
			return;
		}
	}
}

/* All ways from `start`; x->found says whether one came by the pc. */
static bool follow_all(struct explorer *x, taddr_t start)
{
	struct place p = { .at = start };

	memset(x->seen, 0, ((x->code->end - x->code->start) / 2 + 1) * sizeof *x->seen);
	x->npending = x->call = x->ncalls = 0;
	x->steps = 0;
	x->found = x->jumped = x->alloca = false;
	p.s.reg[UNWIND_SP].what = ON_STACK;
	p.s.reg[UNWIND_LR].what = RETURN_ADDRESS;
	do
		explore(x, &p);
	while (next_place(x, &p));
	return x->found;
}

/* -- the frame ---------------------------------------------------------------- */

static bool use_base(const struct frame_state *s, unsigned reg, struct abi_frame *out)
{
	if (s->reg[reg].what != ON_STACK)
		return false;
	out->base = (uint8_t)reg;
	out->cfa = -s->reg[reg].v;
	return true;
}

/* A register that a function keeps is its frame pointer only if it was saved. */
static bool find_base(const struct frame_state *s, bool alloca, struct abi_frame *out)
{
	if (!alloca && use_base(s, UNWIND_SP, out))
		return true;
	return (s->saved & 1u << UNWIND_R7 && use_base(s, UNWIND_R7, out)) ||
	       (s->saved & 1u << UNWIND_R11 && use_base(s, UNWIND_R11, out)) ||
	       use_base(s, UNWIND_SP, out);
}

static bool find_return(const struct frame_state *s, struct abi_frame *out)
{
	if (s->saved >> UNWIND_LR & 1) {
		out->ra_saved = true;
		out->ra = s->slot[UNWIND_LR] + out->cfa;
		return true;
	}
	for (unsigned reg = 15; reg-- > 0;) {
		if (s->reg[reg].what == RETURN_ADDRESS) {
			out->ra_reg = (uint8_t)reg;
			return true;
		}
	}
	return false;
}

static bool describe(const struct frame_state *s, bool alloca, struct abi_frame *out)
{
	*out = (struct abi_frame){ 0 };
	if (!find_base(s, alloca, out) || !find_return(s, out)) {
		out->outermost = s->no_caller;
		return s->no_caller;
	}
	out->saved = s->saved & KEPT;
	for (unsigned reg = 0; reg < ABI_FRAME_REGS; reg++)
		if (out->saved >> reg & 1)
			out->off[reg] = s->slot[reg] + out->cfa;
	return true;
}

/* -- a function's beginning --------------------------------------------------- */

/* push {…, lr} in one of its forms */
static bool pushes_lr(const struct abi_code *c, taddr_t at, bool thumb)
{
	uint32_t lo, hi, w;

	if (!thumb)
		return code_u32(c, at, &w) &&
		       ((w & 0xffff4000) == 0xe92d4000 || (w & 0xfffff000) == 0xe52de000);
	if (!code_u16(c, at, &lo))
		return false;
	if ((lo & 0xff00) == 0xb500)
		return true;
	return code_u16(c, at + 2, &hi) && ((lo == 0xe92d && hi >> 14 == 1) ||
					    (lo == 0xf84d && (hi & 0xff00) == 0xed00));
}

/* Room for arguments: push {r0 … r3} in part, sub sp, sp, #n. */
static bool makes_room(const struct abi_code *c, taddr_t at, bool thumb)
{
	uint32_t v;

	if (thumb)
		return code_u16(c, at, &v) && (((v & 0xfff0) == 0xb400 && v & 15) ||
					       (v & 0xfffc) == 0xb080);
	return code_u32(c, at, &v) && (((v & 0xfffffff0) == 0xe92d0000 && v & 15) ||
				       (v & 0xfffffff0) == 0xe24dd000);
}

/* Of a variadic function and the like, which does that before. */
static taddr_t before_push(const struct abi_code *c, taddr_t push, bool thumb)
{
	unsigned size = thumb ? 2 : 4;

	for (unsigned i = 1; i <= SEARCH_BEFORE; i++)
		if (makes_room(c, push - i * size, thumb))
			return push - i * size;
	return push;
}

static bool from_start(struct explorer *x, struct abi_frame *out)
{
	if (follow_all(x, x->code->start))
		return describe(&x->at_pc, x->alloca, out);
	/* A place that no way leads to must be this function's. */
	return x->jumped && x->pc <= x->code->unknown && describe(&x->at_jump, true, out);
}

/* A beginning from which no way comes by the pc, but a jump through a register leads
 * somewhere. */
struct guess {
	taddr_t start;
	taddr_t apart; /* bytes: within so many ways come to the pc, on both sides */
	struct abi_frame frame;
};

static taddr_t nearest(const struct explorer *x, bool above)
{
	taddr_t far = x->code->end - x->code->start;

	for (taddr_t n = 2; n < far; n += 2) {
		taddr_t at = above ? x->pc + n : x->pc - n;

		if (at < x->code->start || at >= x->code->end)
			break;
		if (x->seen[(at - x->code->start) / 2])
			return n;
	}
	return far;
}

/* Data that look like a push may be anywhere.  Within a function they lead to what the
 * function leads to, but the function does not lead to them: so of two that come as near
 * the farther one is right.  Before a function they fall into it, with a frame. */
static bool is_better(const struct explorer *x, const struct guess *g, const struct guess *best)
{
	uint32_t there = x->seen[(best->start - x->code->start) / 2];
	struct frame_state entry = { .reg[UNWIND_SP].what = ON_STACK };

	return g->apart <= best->apart && (!there || there == sp_mark(&entry));
}

static void guess_start(struct explorer *x, taddr_t start, struct guess *best)
{
	struct guess g = { .start = start };

	if (!x->jumped)
		return;
	g.apart = MAX(nearest(x, false), nearest(x, true));
	if ((!best->start || is_better(x, &g, best)) && describe(&x->at_jump, true, &g.frame))
		*best = g;
}

/* The functions that begin behind code->unknown, the nearest first. */
static bool search(struct explorer *x, struct abi_frame *out)
{
	taddr_t size = x->thumb ? 2 : 4, at = x->pc - x->pc % size, first = x->code->unknown;
	struct guess best = { 0 };

	for (unsigned tries = 0; tries < SEARCH_TRIES && at >= first + size &&
				 x->pc - at < SEARCH_BYTES;) {
		taddr_t start;

		at -= size;
		if (!pushes_lr(x->code, at, x->thumb))
			continue;
		tries++;
		start = before_push(x->code, at, x->thumb);
		if (follow_all(x, start) && describe(&x->at_pc, x->alloca, out))
			return true;
		guess_start(x, start, &best);
	}
	*out = best.frame;
	return best.start;
}

bool arm_prologue(const struct abi *abi, const struct abi_code *code, taddr_t pc,
		  struct abi_frame *out)
{
	struct explorer *x;
	bool ok;

	if (code->end <= code->start || pc < code->start)
		return false;
	x = xcalloc(1, sizeof *x);
	x->code = code;
	x->thumb = pc & abi->code_bit;
	x->pc = abi_code_addr(abi, pc);
	x->seen = xcalloc((code->end - code->start) / 2 + 1, sizeof *x->seen);
	ok = code->unknown > code->start && from_start(x, out);
	if (!ok && x->pc > code->unknown)
		ok = search(x, out) || (code->unknown == code->start && from_start(x, out));
	free(x->seen);
	free(x);
	return ok;
}
