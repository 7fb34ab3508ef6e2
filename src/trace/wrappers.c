/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/breakpoint.h"
#include "trace/image.h"
#include "trace/wrappers.h"

/* A call instruction, with its operands, is no longer anywhere. */
#define CALL_MAX 8
#define MAX_HOPS 12

bool wrapper_jumps(struct proc *p, taddr_t at)
{
	enum jump_kind kind;

	do
		kind = bp_hop(p, &at);
	while (kind == JUMP_PAST);
	return kind != NOT_A_JUMP;
}

static const struct range_probe *beginning_at(const struct proc *p, taddr_t at)
{
	at = abi_code_addr(p->abi, at);
	for (size_t i = 0; i < p->wrappers.n; i++)
		if (p->wrappers.v[i].start == at && !p->wrappers.v[i].throws)
			return &p->wrappers.v[i];
	return NULL;
}

static bool is_operator(const struct breakpoint *bp)
{
	return bp && bp->roles & BP_PROBE && bp->site && bp->site->probe->flags & PROBE_CPP;
}

/* The operator that the instruction before ra calls, over PLT stubs.  False: it
 * calls another function, or the instruction does not tell. */
static bool callee(struct proc *p, taddr_t ra, uint16_t *probe, uint8_t *families)
{
	uint8_t code[CALL_MAX];
	taddr_t at = 0;
	unsigned call;

	if (!p->abi->call_before || proc_read(p, ra - CALL_MAX, code, CALL_MAX) != CALL_MAX)
		return false;
	call = p->abi->call_before(p->abi, image_code(p, ra), code, CALL_MAX, &at);
	if (!(call & CALL_DIRECT) && !(call & CALL_MEMORY && !proc_read_word(p, at, &at)))
		return false;
	for (int hops = 0; hops < MAX_HOPS; hops++) {
		const struct range_probe *w = beginning_at(p, at);
		const struct breakpoint *bp = bp_find(p, at);

		if (w || is_operator(bp)) {
			*probe = w ? w->probe : bp->site->id;
			*families = w ? w->families : bp->site->families;
			return true;
		}
		if (bp_hop(p, &at) == NOT_A_JUMP)
			break;
	}
	return false;
}

static uint8_t all_that_jump(const struct proc *p)
{
	uint8_t families = 0;

	for (size_t i = 0; i < p->wrappers.n; i++)
		if (p->wrappers.v[i].jumps)
			families |= p->wrappers.v[i].families;
	return families;
}

/* One answer for each return address, in p->callees: probe << 8 | families. */
void wrapper_called(struct proc *p, taddr_t ra, uint16_t *probe, uint8_t *families)
{
	const uint64_t *known = u64map_get(&p->callees, ra);
	uint8_t others;

	if (!known) {
		others = all_that_jump(p);
		if (others && !callee(p, ra, probe, families))
			*families |= others;
		u64map_set(&p->callees, ra, (uint64_t)*probe << 8 | *families);
		return;
	}
	*probe = (uint16_t)(*known >> 8);
	*families = (uint8_t)*known;
}
