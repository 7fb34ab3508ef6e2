/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which word on the stack is the return address, where no call-frame
 * information says so: one with a call before it that leads to the function
 * we are in. */
#include "unwind-internal.h"

#define CALL_MAX 8   /* bytes that are looked at before a return address */
#define HOPS_MAX 4   /* from a PLT stub's endbr to the function */

/* Without symbols: a call that leads so far before the pc is thought to be of
 * the same function (the pc thunks of i386 code, hidden in stripped files). */
#define NEAR 256

/* Up to `len` bytes of code at addr; the file's, else the memory's. */
static size_t read_code(const struct guess *g, taddr_t addr, uint8_t *buf, size_t len)
{
	const struct module *m = modules_find(g->modules, addr);
	size_t n = m && m->file ? elf_file_image(m->file, addr - m->bias, buf, len) : 0;
	uint64_t byte;

	for (; n < len; n++) {
		if (!unwind_mem_load(g->mem, addr + n, 1, &byte))
			break;
		buf[n] = (uint8_t)byte;
	}
	return n;
}

/* Where a call of `to` arrives in the end: through PLT stubs and thunks. */
static taddr_t destination(const struct guess *g, taddr_t to)
{
	uint8_t code[16];

	for (int hop = 0; hop < HOPS_MAX && to != g->start && g->abi->jump; hop++) {
		size_t n = read_code(g, to, code, sizeof code);
		uint64_t where = 0;

		switch (g->abi->jump(g->abi, to, code, n, &where)) {
		case JUMP_MEMORY:
			if (!unwind_mem_word(g->mem, where, &where))
				return to;
			break;
		case JUMP_DIRECT:
		case JUMP_PAST:
			break;
		default:
			return to;
		}
		to = where;
	}
	return to;
}

static enum caller judge(const struct guess *g, taddr_t target)
{
	taddr_t to = destination(g, target);

	if (g->start)
		return to == g->start ? CALLER_SURE : CALLER_NOT;
	return to <= g->pc && g->pc - to < NEAR ? CALLER_NEAR : CALLER_NOT;
}

enum caller guess_caller(const struct guess *g, taddr_t ra)
{
	uint8_t code[CALL_MAX];
	enum caller c = CALLER_NOT;
	taddr_t target;
	unsigned calls;

	if (!g->abi->call_before)
		return CALLER_MAYBE;
	if (read_code(g, ra - CALL_MAX, code, CALL_MAX) != CALL_MAX)
		return CALLER_NOT;
	calls = g->abi->call_before(g->abi, ra, code, CALL_MAX, &target);
	if (calls & CALL_DIRECT)
		c = judge(g, target);
	return c == CALLER_NOT && (calls & CALL_INDIRECT) ? CALLER_MAYBE : c;
}
