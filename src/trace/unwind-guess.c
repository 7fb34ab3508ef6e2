/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps where no call-frame information says how.  Of the words on the stack
 * the return address is the one with a call before it that leads to the
 * function we are in; frame pointers come last. */
#include "unwind-internal.h"

/* A frame pointer further off than this is not believed without CFI. */
#define FRAME_SIZE_MAX ((taddr_t)16 << 20)

/* So many words of the stack are searched for a return address. */
#define SCAN_WORDS 256
#define SCAN_WORDS_BLIND 8

#define CALL_MAX 8   /* bytes that are looked at before a return address */
#define HOPS_MAX 4   /* from a PLT stub's endbr to the function */

/* Without symbols: a call that leads so far before the pc is thought to be of
 * the same function (the pc thunks of i386 code, hidden in stripped files). */
#define NEAR 256

/* Did the code before a return address call the function we are in? */
enum caller {
	CALLER_NOT,   /* it called nothing */
	CALLER_OTHER, /* something else, which may have jumped here */
	CALLER_MAYBE, /* it called something */
	CALLER_NEAR,  /* something shortly before our pc, whose start is unknown */
	CALLER_SURE,
};

struct guess {
	const struct abi *abi;
	struct modules *modules;
	struct unwind_mem *mem;
	taddr_t pc;    /* where we are */
	taddr_t start; /* of the function; 0: unknown */
};

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

/* Where a call of the code pointer `to` arrives in the end, through PLT stubs and
 * thunks: an address. */
static taddr_t destination(const struct guess *g, taddr_t to)
{
	uint8_t code[16];

	for (int hop = 0; hop < HOPS_MAX && g->abi->jump; hop++) {
		taddr_t at = abi_code_addr(g->abi, to);
		size_t n = at == g->start ? 0 : read_code(g, at, code, sizeof code);
		uint64_t where = 0;

		switch (n ? g->abi->jump(g->abi, to, code, n, &where) : NOT_A_JUMP) {
		case JUMP_MEMORY:
			if (!unwind_mem_word(g->mem, where, &where))
				return at;
			break;
		case JUMP_DIRECT:
		case JUMP_PAST:
			break;
		default:
			return at;
		}
		to = where;
	}
	return abi_code_addr(g->abi, to);
}

static enum caller judge(const struct guess *g, taddr_t target)
{
	taddr_t to = destination(g, target);

	if (g->start)
		return to == g->start ? CALLER_SURE : CALLER_OTHER;
	return to <= g->pc && g->pc - to < NEAR ? CALLER_NEAR : CALLER_OTHER;
}

/* `ra` is a code pointer. */
static enum caller guess_caller(const struct guess *g, taddr_t ra)
{
	uint8_t code[CALL_MAX];
	enum caller c = CALLER_NOT;
	taddr_t target;
	unsigned calls;

	if (!g->abi->call_before)
		return CALLER_MAYBE;
	if (read_code(g, abi_code_addr(g->abi, ra) - CALL_MAX, code, CALL_MAX) != CALL_MAX)
		return CALLER_NOT;
	calls = g->abi->call_before(g->abi, ra, code, CALL_MAX, &target);
	if (calls & CALL_DIRECT)
		c = judge(g, target);
	return c < CALLER_MAYBE && (calls & CALL_INDIRECT) ? CALLER_MAYBE : c;
}

bool unwind_after_call(struct walk *w, taddr_t code)
{
	struct guess g = { w->abi, w->u->modules, w->mem, w->pc, 0 };

	return unwinder_executable(w->u, (code & w->mem->mask) - 1, false) &&
	       guess_caller(&g, code & w->mem->mask) != CALLER_NOT;
}

int32_t unwind_into_function(const struct module *m, taddr_t pc)
{
	taddr_t vaddr = pc - m->bias;
	struct elf_symbol sym;

	if (!m->file || !elf_file_function_at(m->file, vaddr, &sym) || sym.value > vaddr ||
	    vaddr - sym.value > INT32_MAX)
		return -1;
	return (int32_t)(vaddr - sym.value);
}

/* The chain that starts at the frame pointer: at `pair` is the caller's, in the word
 * above it the return address. */
struct link {
	taddr_t fp, pair, ra, next;
	bool usable;
};

static struct link fp_link(struct walk *w)
{
	taddr_t word = w->abi->word;
	struct link l = { 0 };

	if (!get_reg(w, w->abi->dwarf_fp, &l.fp))
		return l;
	l.pair = (l.fp + (taddr_t)(int64_t)w->abi->fp_pair) & w->mem->mask;
	l.usable = l.fp % word == 0 && l.pair >= w->sp && l.pair - w->sp <= FRAME_SIZE_MAX &&
		   unwind_mem_word(w->mem, l.pair, &l.next) &&
		   unwind_mem_word(w->mem, (l.pair + word) & w->mem->mask, &l.ra);
	l.ra = plain_code(w->u, l.ra);
	l.usable = l.usable && (!l.ra || unwinder_executable(w->u, l.ra - 1, true));
	/* Not all code of such machines has its frame pointer point there. */
	if (l.usable && l.ra && w->abi->link >= 0)
		l.usable = unwind_after_call(w, l.ra);
	return l;
}

static enum step step_fp(struct walk *w, const struct link *l)
{
	set_reg(w, w->abi->dwarf_fp, l->next);
	return walk_arrive(w, l->ra, l->pair + 2u * w->abi->word, FROM_FP);
}

/* The return address on top of the stack, if it is one; else 0. */
static taddr_t ra_on_top(struct walk *w)
{
	uint64_t ra;

	if (!w->exact || w->abi->link >= 0 || !unwind_mem_word(w->mem, w->sp, &ra))
		return 0;
	return ra && unwinder_executable(w->u, ra - 1, false) ? ra : 0;
}

/* Nothing was pushed yet: the return address is where the call put it. */
static enum step step_link(struct walk *w, taddr_t ra)
{
	return walk_arrive(w, ra, w->sp + w->abi->ret_pops, FROM_LINK);
}

/* Looks for the address that the call of this very function left; where its
 * start is unknown, a call just above the stack pointer must do. */
static enum step step_scan(struct walk *w, const struct guess *g, taddr_t end)
{
	enum caller wanted = g->start ? CALLER_SURE : CALLER_OTHER;
	unsigned words = g->start ? SCAN_WORDS : SCAN_WORDS_BLIND;
	taddr_t word = w->abi->word, at = w->sp;
	uint64_t ra;

	if (!w->fp_lost)
		w->lost_from = w->sp;
	for (unsigned i = 0; i < words && at < end; i++, at += word) {
		if (!unwind_mem_word(w->mem, at, &ra))
			break;
		ra = plain_code(w->u, ra);
		if (in_text(modules_find(w->u->modules, ra), ra) &&
		    guess_caller(g, ra) >= wanted) {
			w->fp_lost = true;
			return walk_arrive(w, ra, at + word, FROM_SCAN);
		}
	}
	return STEP_LOST;
}

/* Beyond main there is only the C library's start, which in some (musl) has no
 * call-frame information. */
static bool called_main(struct walk *w)
{
	uint32_t i = w->out->n - 2;
	taddr_t pc = w->out->n > 1 ? w->out->pc[i] - !w->out->exact[i] : 0;
	struct module *m = modules_find(w->u->modules, pc);
	struct elf_symbol sym;

	return m && m->file && elf_file_function_at(m->file, pc - m->bias, &sym) &&
	       !strcmp(sym.name, "main");
}

/* Where there are two instruction sets (ARM), each has a frame pointer of its own, and
 * on RISC-V it is one register more for most code: zero says nothing. */
static bool ends_chain(const struct walk *w, const struct link *l)
{
	return !l->fp && !w->abi->code_bit && !w->abi->fp_pair;
}

/* Where frames are chained by their stack pointers.  One that was interrupted at its
 * start is not in the chain yet; the outermost has no next. */
static enum step step_back_chain(struct walk *w, const struct guess *g)
{
	int link = w->abi->link;
	uint64_t up, ra;

	if (w->exact && (g->start == w->pc || !unwinder_executable(w->u, w->pc, false)))
		for (unsigned reg = 0; reg < w->abi->ndwarf; reg++)
			if (w->abi->dwarf_reg[reg] == link && get_reg(w, reg, &ra))
				return walk_arrive(w, ra, w->sp, FROM_LINK);
	if (!unwind_mem_word(w->mem, w->sp, &up))
		return STEP_LOST;
	if (!up)
		return STEP_OUTERMOST;
	if (up % w->abi->word || up <= w->sp || up - w->sp > FRAME_SIZE_MAX ||
	    !unwind_mem_word(w->mem, (up + w->abi->back_chain_ra) & w->mem->mask, &ra) ||
	    (ra && !unwinder_executable(w->u, ra - 1, true)))
		return STEP_LOST;
	return walk_arrive(w, ra, up, FROM_FP);
}

/* No call-frame information: assembly, i386's pc thunks, C libraries built
 * without, generated code, calls through null pointers.  What is certain comes
 * first; a frame pointer of zero ends a stack (x86-64 psABI, section 3.4.1). */
enum step walk_blind(struct walk *w, const struct row *row)
{
	struct guess g = { w->abi, w->u->modules, w->mem, w->pc, 0 };
	bool in_module = row->kind == ROW_NO_CFI;
	enum caller of_fp, of_top;
	struct link l;
	taddr_t top;

	if (in_module && row->cfa_off >= 0)
		g.start = row->pc - (taddr_t)row->cfa_off;
	if (w->abi->back_chain_ra)
		return step_back_chain(w, &g);
	l = fp_link(w);
	top = ra_on_top(w);
	of_top = top ? guess_caller(&g, top) : CALLER_NOT;
	of_fp = l.usable && l.ra ? guess_caller(&g, l.ra) : CALLER_NOT;
	if (of_top >= CALLER_NEAR ||
	    (of_top == CALLER_MAYBE && (g.start == w->pc || !unwinder_executable(w->u, w->pc, false))))
		return step_link(w, top);
	if (of_fp < CALLER_NEAR && in_module && (g.start || w->exact) &&
	    step_scan(w, &g, l.usable ? l.pair : UINT64_MAX) == STEP_ON)
		return STEP_ON;
	if (of_fp < CALLER_MAYBE && of_top == CALLER_MAYBE)
		return step_link(w, top);
	if (l.usable)
		return step_fp(w, &l);
	if (in_module && (ends_chain(w, &l) || called_main(w)))
		return STEP_OUTERMOST;
	w->unknown = in_module;
	return STEP_LOST;
}

/* With fp as the frame pointer, would this row find a return address? */
static bool fp_fits(struct walk *w, const struct row *row, taddr_t fp)
{
	struct guess g = { w->abi, w->u->modules, w->mem, w->pc, 0 };
	int32_t into = unwind_into_function(modules_find(w->u->modules, row->pc), row->pc);
	taddr_t cfa = (fp + (taddr_t)(int64_t)row->cfa_off) & w->mem->mask;
	uint64_t ra;

	if (cfa <= w->sp || cfa - w->sp > FRAME_SIZE_MAX || cfa % w->abi->word ||
	    !unwind_mem_word(w->mem, (cfa + (taddr_t)(int64_t)row->ra_off) & w->mem->mask, &ra))
		return false;
	ra = plain_code(w->u, ra);
	if (into >= 0)
		g.start = row->pc - (taddr_t)into;
	return ra && unwinder_executable(w->u, ra - 1, false) && guess_caller(&g, ra) >= CALLER_MAYBE;
}

/* This row needs the frame pointer, and a scan went over code that may have
 * changed it: then that code has saved it. */
void walk_find_fp(struct walk *w, const struct row *row)
{
	taddr_t word = w->abi->word;
	uint64_t fp;

	w->fp_lost = false;
	if (get_reg(w, w->abi->dwarf_fp, &fp) && fp_fits(w, row, fp))
		return;
	for (taddr_t at = w->lost_from; at < w->sp && unwind_mem_word(w->mem, at, &fp); at += word) {
		if (fp_fits(w, row, fp)) {
			set_reg(w, w->abi->dwarf_fp, fp);
			return;
		}
	}
}
