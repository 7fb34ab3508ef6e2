/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executes what functions begin with and what follows calls: branches, moves,
 * addresses, comparisons, loads and stores of general registers. */
#include <errno.h>
#include "arch/powerpc/powerpc.h"

#define CR0 28 /* bits from the end of CR to the field's last one */
#define XER_SO 0x80000000u

struct work {
	const struct abi_memory *mem;
	struct regs *r;
	uint32_t insn, addr;
};

static uint32_t gpr(const struct work *w, unsigned n) { return (uint32_t)w->r->w[n]; }
static void set(struct work *w, unsigned n, uint32_t v) { w->r->w[n] = v; }
/* In addresses and addi, register 0 means none. */
static uint32_t base(const struct work *w) { return ppc_ra(w->insn) ? gpr(w, ppc_ra(w->insn)) : 0; }

/* A field of the condition register: less, greater, equal, overflow. */
static void set_field(struct work *w, unsigned shift, bool less, bool greater)
{
	uint32_t cr = gpr(w, PPC_CCR) & ~(15u << shift);
	uint32_t field = (less ? 8 : greater ? 4 : 2) | (gpr(w, PPC_XER) & XER_SO ? 1 : 0);

	set(w, PPC_CCR, cr | field << shift);
}

static void record(struct work *w, uint32_t v)
{
	set_field(w, CR0, (int32_t)v < 0, (int32_t)v > 0);
}

/* ---- branches ------------------------------------------------------------- */

static bool is_taken(struct work *w)
{
	unsigned bo = ppc_rt(w->insn), bit = 31 - ppc_ra(w->insn);
	uint32_t ctr = gpr(w, PPC_CTR) - 1;

	if (!(bo & PPC_NO_CTR)) {
		set(w, PPC_CTR, ctr);
		if ((ctr != 0) == (bo >> 1 & 1))
			return false;
	}
	return bo & PPC_NO_COND || (gpr(w, PPC_CCR) >> bit & 1) == (bo >> 3 & 1);
}

static void branch(struct work *w, bool taken, uint32_t target)
{
	if (w->insn & PPC_LINK)
		set(w, PPC_LR, w->addr + 4);
	w->r->w[PPC_NIP] = taken ? target : w->addr + 4;
}

static int branch_register(struct work *w)
{
	uint32_t lr = gpr(w, PPC_LR), ctr = gpr(w, PPC_CTR);

	switch (ppc_xo(w->insn)) {
	case PPC_XL_BCLR:
		branch(w, is_taken(w), lr & ~3u);
		return 0;
	case PPC_XL_BCCTR:
		if (!(ppc_rt(w->insn) & PPC_NO_CTR))
			return -ENOTSUP; /* no valid form */
		branch(w, is_taken(w), ctr & ~3u);
		return 0;
	default:
		return -ENOTSUP;
	}
}

/* ---- arithmetic ----------------------------------------------------------- */

static void compare(struct work *w, bool is_signed, uint32_t b)
{
	uint32_t a = gpr(w, ppc_ra(w->insn));
	unsigned shift = 28 - 4 * (ppc_rt(w->insn) >> 2);

	if (is_signed)
		set_field(w, shift, (int32_t)a < (int32_t)b, (int32_t)a > (int32_t)b);
	else
		set_field(w, shift, a < b, a > b);
}

static uint32_t rotate(uint32_t v, unsigned by)
{
	return by ? v << by | v >> (32 - by) : v;
}

/* rlwimi, rlwinm, rlwnm: the mask goes from bit MB to ME, around the end perhaps;
 * bit 0 is the highest. */
static uint32_t rotate_and_mask(const struct work *w)
{
	unsigned op = ppc_op(w->insn), mb = w->insn >> 6 & 31, me = w->insn >> 1 & 31;
	unsigned by = op == 23 ? gpr(w, ppc_rb(w->insn)) & 31 : ppc_rb(w->insn);
	uint32_t from = UINT32_MAX >> mb, to = UINT32_MAX << (31 - me);
	uint32_t mask = mb <= me ? from & to : from | to;
	uint32_t v = rotate(gpr(w, ppc_rt(w->insn)), by) & mask;

	return op == 20 ? v | (gpr(w, ppc_ra(w->insn)) & ~mask) : v;
}

/* Those whose result goes to rA.  False: none of them. */
static bool logic(const struct work *w, uint32_t *v)
{
	uint32_t s = gpr(w, ppc_rt(w->insn)), b = gpr(w, ppc_rb(w->insn));

	switch (ppc_xo(w->insn)) {
	case 28: *v = s & b; return true;
	case 60: *v = s & ~b; return true;
	case 124: *v = ~(s | b); return true;
	case 284: *v = ~(s ^ b); return true;
	case 316: *v = s ^ b; return true;
	case 412: *v = s | ~b; return true;
	case 444: *v = s | b; return true;
	case 476: *v = ~(s & b); return true;
	case 24: *v = b & 32 ? 0 : s << (b & 31); return true;
	case 536: *v = b & 32 ? 0 : s >> (b & 31); return true;
	case 922: *v = (uint32_t)(int16_t)s; return true;
	case 954: *v = (uint32_t)(int8_t)s; return true;
	case 26: *v = s ? (uint32_t)__builtin_clz(s) : 32; return true;
	default: return false;
	}
}

static bool arithmetic(const struct work *w, uint32_t *v)
{
	uint32_t a = gpr(w, ppc_ra(w->insn)), b = gpr(w, ppc_rb(w->insn));

	switch (ppc_xo(w->insn)) {
	case 40: *v = b - a; return true;
	case 104: *v = -a; return true;
	case 235: *v = a * b; return true;
	case 266: *v = a + b; return true;
	default: return false;
	}
}

static int move_special(struct work *w, bool to)
{
	unsigned reg, rt = ppc_rt(w->insn);

	switch (ppc_spr(w->insn)) {
	case PPC_SPR_LR: reg = PPC_LR; break;
	case PPC_SPR_CTR: reg = PPC_CTR; break;
	default: return -ENOTSUP;
	}
	if (to)
		set(w, reg, gpr(w, rt));
	else
		set(w, rt, gpr(w, reg));
	return 0;
}

/* ---- memory --------------------------------------------------------------- */

struct access {
	unsigned size; /* 0: none */
	bool store, update, algebraic;
};

/* Opcodes 32 to 45 in order; opcode 31's are the same by 32 apart. */
static struct access access_of(unsigned which)
{
	static const uint8_t size[] = { 4, 1, 4, 1, 2, 2, 2 };
	struct access a = { 0 };

	if (which >= 2 * ARRAY_SIZE(size))
		return a;
	a.size = size[which / 2];
	a.update = which & 1;
	a.store = which / 2 == 2 || which / 2 == 3 || which / 2 == 6;
	a.algebraic = which / 2 == 5;
	return a;
}

static int load_store(struct work *w, struct access a, uint32_t at)
{
	unsigned rt = ppc_rt(w->insn), ra = ppc_ra(w->insn);
	uint8_t b[4];
	uint32_t v = gpr(w, rt);

	if (a.update && (!ra || (!a.store && ra == rt)))
		return -ENOTSUP; /* no valid form */
	for (unsigned i = 0; i < a.size; i++)
		b[i] = (uint8_t)(v >> 8 * (a.size - 1 - i));
	if ((a.store ? w->mem->write(w->mem->arg, at, b, a.size) :
		       w->mem->read(w->mem->arg, at, b, a.size)) != (ssize_t)a.size)
		return -EFAULT;
	v = 0;
	for (unsigned i = 0; i < a.size; i++)
		v = v << 8 | b[i];
	if (!a.store)
		set(w, rt, a.algebraic ? (uint32_t)(int16_t)v : v);
	if (a.update)
		set(w, ra, at);
	return 0;
}

/* lmw, stmw: all registers from rT on. */
static int multiple(struct work *w, bool store)
{
	unsigned rt = ppc_rt(w->insn), n = 4 * (32 - rt);
	uint32_t at = base(w) + (uint32_t)ppc_simm(w->insn);
	uint8_t b[4 * 32];

	if (!store && ppc_ra(w->insn) >= rt)
		return -ENOTSUP; /* no valid form */
	for (unsigned i = 0; i < n; i++)
		b[i] = (uint8_t)(gpr(w, rt + i / 4) >> 8 * (3 - i % 4));
	if ((store ? w->mem->write(w->mem->arg, at, b, n) : w->mem->read(w->mem->arg, at, b, n)) !=
	    (ssize_t)n)
		return -EFAULT;
	for (unsigned i = 0; i < n && !store; i += 4)
		set(w, rt + i / 4, ppc_insn(b + i));
	return 0;
}

/* ---- all ------------------------------------------------------------------ */

static int opcode_31(struct work *w)
{
	unsigned xo = ppc_xo(w->insn), ra = ppc_ra(w->insn), rt = ppc_rt(w->insn);
	bool to_ra;
	uint32_t v;

	if ((to_ra = logic(w, &v)) || arithmetic(w, &v)) {
		set(w, to_ra ? ra : rt, v);
		if (w->insn & 1)
			record(w, v);
		return 0;
	}
	if (w->insn & 1)
		return -ENOTSUP;
	/* lwzx 23, lwzux 55, lbzx 87, … sthux 439 */
	if (xo % 32 == 23 && access_of(xo / 32).size)
		return load_store(w, access_of(xo / 32), base(w) + gpr(w, ppc_rb(w->insn)));
	switch (xo) {
	case 0:
	case 32:
		if (rt & 1) /* of 64 bits */
			return -ENOTSUP;
		compare(w, xo == 0, gpr(w, ppc_rb(w->insn)));
		return 0;
	case 19:
		if (w->insn & 1u << 20) /* mfocrf leaves the rest undefined */
			return -ENOTSUP;
		set(w, rt, gpr(w, PPC_CCR));
		return 0;
	case PPC_X_MFSPR:
	case PPC_X_MTSPR:
		return move_special(w, xo == PPC_X_MTSPR);
	default:
		return -ENOTSUP;
	}
}

static int immediate(struct work *w)
{
	unsigned op = ppc_op(w->insn), rt = ppc_rt(w->insn), ra = ppc_ra(w->insn);
	uint32_t ui = w->insn & 0xffff, v;

	switch (op) {
	case 7: set(w, rt, gpr(w, ra) * (uint32_t)ppc_simm(w->insn)); return 0;
	case 10:
	case 11:
		if (rt & 1)
			return -ENOTSUP;
		compare(w, op == 11, op == 11 ? (uint32_t)ppc_simm(w->insn) : ui);
		return 0;
	case 14: set(w, rt, base(w) + (uint32_t)ppc_simm(w->insn)); return 0;
	case 15: set(w, rt, base(w) + (ui << 16)); return 0;
	case 20:
	case 21:
	case 23:
		v = rotate_and_mask(w);
		set(w, ra, v);
		if (w->insn & 1)
			record(w, v);
		return 0;
	case 24: set(w, ra, gpr(w, rt) | ui); return 0;
	case 25: set(w, ra, gpr(w, rt) | ui << 16); return 0;
	case 26: set(w, ra, gpr(w, rt) ^ ui); return 0;
	case 27: set(w, ra, gpr(w, rt) ^ ui << 16); return 0;
	case 28:
	case 29:
		v = gpr(w, rt) & (op == 29 ? ui << 16 : ui);
		set(w, ra, v);
		record(w, v);
		return 0;
	default: return -ENOTSUP;
	}
}

static int execute(struct work *w)
{
	unsigned op = ppc_op(w->insn);

	switch (op) {
	case PPC_OP_B:
		branch(w, true, ppc_target(w->insn, w->addr));
		return 0;
	case PPC_OP_BC:
		branch(w, is_taken(w), ppc_target(w->insn, w->addr));
		return 0;
	case PPC_OP_XL:
		return branch_register(w);
	case PPC_OP_X:
		return opcode_31(w);
	case 46:
	case 47:
		return multiple(w, op == 47);
	default:
		if (op >= 32 && op < 46)
			return load_store(w, access_of(op - 32),
					  base(w) + (uint32_t)ppc_simm(w->insn));
		return immediate(w);
	}
}

int ppc_emulate(const struct abi *abi, const struct abi_memory *mem, taddr_t addr,
		const uint8_t *insn, size_t len, struct regs *regs)
{
	struct regs r = *regs;
	struct work w = { .mem = mem, .r = &r, .addr = (uint32_t)addr };
	int err;

	(void)abi;
	if (len < 4)
		return -ENOTSUP;
	w.insn = ppc_insn(insn);
	r.w[PPC_NIP] = w.addr + 4;
	err = execute(&w);
	if (!err)
		*regs = r;
	return err;
}
