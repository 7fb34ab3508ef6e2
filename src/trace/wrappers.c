/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/breakpoint.h"
#include "trace/wrappers.h"

/* A call instruction, with its operands, is no longer anywhere. */
#define CALL_MAX 8
#define MAX_HOPS 12

bool wrapper_jumps(struct proc *p, const struct range_probe *w)
{
	taddr_t at = w->start;
	enum jump_kind kind;

	do
		kind = bp_hop(p, &at);
	while (kind == JUMP_PAST);
	return kind != NOT_A_JUMP;
}

static const struct range_probe *beginning_at(const struct proc *p, taddr_t at)
{
	for (size_t i = 0; i < p->wrappers.n; i++)
		if (p->wrappers.v[i].start == at && !p->wrappers.v[i].throws)
			return &p->wrappers.v[i];
	return NULL;
}

/* The wrapper that the instruction before ra calls, over PLT stubs.  NULL: it
 * calls another function, or the instruction does not tell. */
static const struct range_probe *callee(struct proc *p, taddr_t ra)
{
	uint8_t code[CALL_MAX];
	const struct range_probe *w = NULL;
	taddr_t at = 0;
	unsigned call;

	if (!p->abi->call_before ||
	    proc_read(p, ra - CALL_MAX, code, CALL_MAX) != CALL_MAX)
		return NULL;
	call = p->abi->call_before(p->abi, ra, code, CALL_MAX, &at);
	if (!(call & CALL_DIRECT) && !(call & CALL_MEMORY && !proc_read_word(p, at, &at)))
		return NULL;
	for (int hops = 0; hops < MAX_HOPS && !w; hops++) {
		w = beginning_at(p, at);
		if (!w && bp_hop(p, &at) == NOT_A_JUMP)
			break;
	}
	return w;
}

static uint8_t all_that_jump(const struct proc *p, const struct range_probe *w)
{
	uint8_t families = w->families;

	for (size_t i = 0; i < p->wrappers.n; i++)
		if (p->wrappers.v[i].jumps && p->wrappers.v[i].module == w->module)
			families |= p->wrappers.v[i].families;
	return families;
}

/* One answer for each return address, in p->callees: probe << 8 | families. */
void wrapper_called(struct proc *p, const struct range_probe *w, taddr_t ra, uint16_t *probe,
		    uint8_t *families)
{
	const uint64_t *known = u64map_get(&p->callees, ra);
	const struct range_probe *called;

	if (!known) {
		uint64_t v = (uint64_t)w->probe << 8 | all_that_jump(p, w);

		if (v != ((uint64_t)w->probe << 8 | w->families) && (called = callee(p, ra)))
			v = (uint64_t)called->probe << 8 | called->families;
		u64map_set(&p->callees, ra, v);
		known = u64map_get(&p->callees, ra);
	}
	*probe = (uint16_t)(*known >> 8);
	*families = (uint8_t)*known;
}
