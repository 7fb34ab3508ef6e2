/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displaced execution on PowerPC.  At a function's entry and behind a call r12
 * and the count register hold nothing (System V ABI, PowerPC supplement, figure
 * 3-14: volatile, and no argument or result): they take what the link register
 * must get, and the way back where a branch does not reach.  Only addresses of
 * the program's own get into them. */
#include <errno.h>
#include <string.h>
#include "arch/powerpc/powerpc.h"

#define LIS_R12 0x3d800000u
#define ORI_R12 0x618c0000u
#define MTCTR_R12 0x7d8903a6u
#define MTLR_R12 0x7d8803a6u
#define B_REACH (1 << 25) /* bytes, either way */

/* What is decoded, and where it goes. */
struct work {
	uint32_t insn, addr, slot;
	const uint8_t *bytes;
	size_t len;
	struct displaced *out;
};

/* ---- what kind of instruction it is ------------------------------------- */

/* Primary opcodes of 32-bit programs; not in it: illegal and reserved ones, those
 * of 64-bit mode, and 1, the first half of a prefixed instruction. */
#define PLAIN_OPCODES 0xbbffffffbfbffd98u

bool ppc_is_plain(uint32_t insn)
{
	return PLAIN_OPCODES >> ppc_op(insn) & 1;
}

/* Of opcode 31: lwarx, lbarx, lharx. */
static bool loads_reserved(uint32_t insn)
{
	unsigned xo = ppc_xo(insn);

	return ppc_op(insn) == PPC_OP_X && (xo == 20 || xo == 52 || xo == 116 || xo == 84);
}

/* stwcx., stbcx., sthcx., stdcx. */
static bool stores_reserved(uint32_t insn)
{
	unsigned xo = ppc_xo(insn);

	return ppc_op(insn) == PPC_OP_X && (xo == 150 || xo == 694 || xo == 726 || xo == 214);
}

/* addpcis, the only one but branches that reads the pc (Power ISA 3.0). */
static bool is_addpcis(uint32_t insn)
{
	return ppc_op(insn) == PPC_OP_XL && (insn >> 1 & 31) == 2;
}

static bool is_xl_branch(uint32_t insn)
{
	return ppc_op(insn) == PPC_OP_XL &&
	       (ppc_xo(insn) == PPC_XL_BCLR || ppc_xo(insn) == PPC_XL_BCCTR);
}

static bool is_branch(uint32_t insn)
{
	return ppc_op(insn) == PPC_OP_B || ppc_op(insn) == PPC_OP_BC || is_xl_branch(insn);
}

/* Might it use r12 or the count register?  Every field counts, whatever the
 * instruction makes of it. */
static bool may_touch_veneer(uint32_t insn)
{
	unsigned op = ppc_op(insn);
	bool spr = op == PPC_OP_X && (ppc_xo(insn) == PPC_X_MFSPR || ppc_xo(insn) == PPC_X_MTSPR);

	if (op == PPC_OP_SC) /* the kernel leaves nothing in either */
		return false;
	if (is_branch(insn))
		return !(ppc_rt(insn) & PPC_NO_CTR);
	if (spr && ppc_spr(insn) == PPC_SPR_CTR)
		return true;
	if (op == 46 || op == 47) /* lmw, stmw: from rT on */
		return ppc_rt(insn) <= 12 || ppc_ra(insn) == 12;
	return ppc_rt(insn) == 12 || ppc_ra(insn) == 12 || ppc_rb(insn) == 12;
}

/* ---- code --------------------------------------------------------------- */

static void emit(struct work *w, uint32_t insn)
{
	uint8_t *p = w->out->code + w->out->code_len;

	p[0] = (uint8_t)(insn >> 24);
	p[1] = (uint8_t)(insn >> 16);
	p[2] = (uint8_t)(insn >> 8);
	p[3] = (uint8_t)insn;
	w->out->code_len += 4;
}

static uint32_t here(const struct work *w)
{
	return w->slot + w->out->code_len;
}

static void put(struct work *w, enum displace_where where, uint32_t to, uint32_t insn)
{
	displaced_mark(w->out, where, to);
	emit(w, insn);
}

static bool reaches(uint32_t from, uint32_t to)
{
	int32_t d = (int32_t)(to - from);

	return d >= -B_REACH && d < B_REACH;
}

/* Can everything in the slot branch to it? */
static bool slot_reaches(const struct work *w, uint32_t target)
{
	return reaches(w->slot, target) && reaches(w->slot + DISPLACE_MAX, target);
}

static void put_jump(struct work *w, uint32_t target)
{
	uint32_t d = target - here(w);

	if (slot_reaches(w, target)) {
		put(w, AT_NEXT, target, (uint32_t)PPC_OP_B << 26 | (d & 0x03fffffcu));
		return;
	}
	put(w, AT_NEXT, target, LIS_R12 | target >> 16);
	put(w, AT_NEXT, target, ORI_R12 | (target & 0xffff));
	put(w, AT_NEXT, target, MTCTR_R12);
	put(w, AT_NEXT, target, PPC_BCTR);
}

/* The link register gets what the instruction would have put there. */
static void put_link(struct work *w)
{
	uint32_t ra = w->addr + 4;

	put(w, AT_ORIGINAL, w->addr, LIS_R12 | ra >> 16);
	put(w, AT_ORIGINAL, w->addr, ORI_R12 | (ra & 0xffff));
	put(w, AT_ORIGINAL, w->addr, MTLR_R12);
}

/* ---- one function for each way of rewriting ------------------------------ */

static int displace_copy(struct work *w)
{
	if (!slot_reaches(w, w->addr + 4) && may_touch_veneer(w->insn))
		return displaced_step(w->out, w->addr);
	put(w, AT_ORIGINAL, w->addr, w->insn);
	if (!(is_xl_branch(w->insn) && ppc_always(w->insn)))
		put_jump(w, w->addr + 4);
	return 0;
}

/* lis rT,hi; ori rT,rT,lo; b next */
static int displace_addpcis(struct work *w)
{
	uint32_t rt = ppc_rt(w->insn), d;

	/* d0 || d1 || d2: 10, 5 and 1 bits */
	d = (w->insn & 0xffc0) | (w->insn >> 15 & 0x3e) | (w->insn & 1);
	d = w->addr + 4 + (d << 16);
	if (!slot_reaches(w, w->addr + 4) && rt == 12)
		return displaced_step(w->out, w->addr);
	put(w, AT_ORIGINAL, w->addr, 15u << 26 | rt << 21 | d >> 16);
	put(w, AT_ORIGINAL, w->addr, 24u << 26 | rt << 21 | rt << 16 | (d & 0xffff));
	put_jump(w, w->addr + 4);
	return 0;
}

/* bc 1f; b next; 1: b target.  A call that is not made sets the link register
 * all the same. */
static int displace_bc(struct work *w)
{
	uint32_t target = ppc_target(w->insn, w->addr);

	if (!slot_reaches(w, target) || !slot_reaches(w, w->addr + 4))
		return displaced_step(w->out, w->addr);
	if (w->insn & PPC_LINK)
		put_link(w);
	put(w, AT_ORIGINAL, w->addr, (w->insn & 0xffff0000u) | 8);
	put_jump(w, w->addr + 4);
	put_jump(w, target);
	return 0;
}

static int displace_call(struct work *w)
{
	put_link(w);
	put_jump(w, ppc_target(w->insn, w->addr));
	return 0;
}

/* A branch to a register.  What reads the link register and sets it, or sets it
 * and goes on perhaps, is emulated. */
static int displace_xl(struct work *w)
{
	if (!(w->insn & PPC_LINK))
		return displace_copy(w);
	if (ppc_xo(w->insn) != PPC_XL_BCCTR || !ppc_always(w->insn))
		return displaced_step(w->out, w->addr);
	put_link(w);
	put(w, AT_ORIGINAL, w->addr, PPC_BCTR);
	return 0;
}

/* ---- load and reserve … store conditional --------------------------------- */

#define SEQUENCE_MAX 7

/* Instructions up to the branch that tries once more, and with it.  0: it does
 * not end where we can see it, or has more in it than copies. */
static unsigned sequence_length(const struct work *w)
{
	unsigned n, last = 0;

	for (n = 1; n < SEQUENCE_MAX && 4 * (n + 1) <= w->len; n++) {
		uint32_t insn = ppc_insn(w->bytes + 4 * n);

		if (last) {
			bool again = ppc_op(insn) == PPC_OP_BC && !(insn & 3) &&
				     ppc_target(insn, 4 * n) <= 4 * last;

			return again ? n + 1 : n;
		}
		if (stores_reserved(insn))
			last = n;
		else if (ppc_op(insn) == PPC_OP_BC ? (insn & 3) != 0 :
			 !ppc_is_plain(insn) || is_branch(insn) || is_addpcis(insn) ||
			 ppc_op(insn) == PPC_OP_SC || loads_reserved(insn))
			return 0;
	}
	return last ? n : 0;
}

/* In one piece: a stop in its midst, for any reason, takes the reservation away.
 * Branches out of it get places of their own behind it. */
static int displace_sequence(struct work *w)
{
	unsigned n = sequence_length(w), out[SEQUENCE_MAX], nout = 0;

	w->out->whole = true;
	if (!n || !slot_reaches(w, w->addr))
		return displaced_step(w->out, w->addr);
	for (unsigned i = 0; i < n; i++) {
		uint32_t insn = ppc_insn(w->bytes + 4 * i);

		if (ppc_op(insn) == PPC_OP_BC && ppc_target(insn, 4 * i) > 4 * n)
			out[nout++] = i;
		if (n + 1 + nout > DISPLACE_MAX_FIX)
			return displaced_step(w->out, w->addr);
		put(w, i ? AT_NEXT : AT_ORIGINAL, w->addr + 4 * i, insn);
	}
	put_jump(w, w->addr + 4 * n);
	for (unsigned k = 0; k < nout; k++) {
		uint8_t *p = w->out->code + 4 * out[k];
		uint32_t insn = ppc_insn(p), by = w->out->code_len - 4 * out[k];
		uint32_t target = ppc_target(insn, w->addr + 4 * out[k]);

		if (!slot_reaches(w, target))
			return displaced_step(w->out, w->addr);
		p[2] = (uint8_t)(by >> 8);
		p[3] = (uint8_t)by;
		put_jump(w, target);
	}
	w->out->insn_len = (uint8_t)(4 * n);
	return 0;
}

/* ---- hooks of struct abi -------------------------------------------------- */

int ppc_displace(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
		 taddr_t slot, unsigned flags, struct displaced *out)
{
	struct work w = { .addr = (uint32_t)addr, .slot = (uint32_t)slot, .bytes = insn,
			  .len = len, .out = out };
	unsigned op;

	(void)abi;
	if (len < 4 || !ppc_is_plain(w.insn = ppc_insn(insn)))
		return -EINVAL;
	op = ppc_op(w.insn);
	memset(out, 0, sizeof *out);
	out->kind = DISPLACE_SLOT;
	out->resume = w.slot;
	out->insn_len = 4;
	if (w.insn == PPC_NOP)
		return displaced_goto(out, w.addr + 4);
	if (op == PPC_OP_B)
		return w.insn & PPC_LINK ? displace_call(&w) : displaced_goto(out, ppc_target(w.insn, addr));
	if (op == PPC_OP_BC)
		return !(w.insn & PPC_LINK) && ppc_always(w.insn) ?
			       displaced_goto(out, ppc_target(w.insn, addr)) : displace_bc(&w);
	if (is_xl_branch(w.insn))
		return displace_xl(&w);
	if (is_addpcis(w.insn))
		return displace_addpcis(&w);
	if (op == PPC_OP_SC && !(flags & DISPLACE_SYSCALL))
		return displaced_step(out, w.addr);
	if (loads_reserved(w.insn))
		return displace_sequence(&w);
	out->whole = stores_reserved(w.insn);
	return out->whole ? displaced_step(out, w.addr) : displace_copy(&w);
}

int ppc_insn_length(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len)
{
	(void)abi, (void)addr;
	return len >= 4 && ppc_is_plain(ppc_insn(insn)) ? 4 : -EINVAL;
}
