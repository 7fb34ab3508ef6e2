/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the unwinder: expressions, rows, the table of rows, memory. */
#ifndef MTRACE_TRACE_UNWIND_INTERNAL_H
#define MTRACE_TRACE_UNWIND_INTERNAL_H

#include <elfutils/libdw.h>

#include "base/vec.h"
#include "trace/unwind.h"

/* -- expressions (unwind-expr.c) -------------------------------------------- */

/* What an expression may look at.  Both functions return false when the value
 * cannot be had. */
struct expr_env {
	bool (*reg)(void *arg, unsigned dwarf_reg, uint64_t *value);
	bool (*load)(void *arg, taddr_t addr, unsigned size, uint64_t *value);
	void *arg;
	uint64_t mask;  /* of an address */
	unsigned word;  /* bytes of an address */
	taddr_t cfa;    /* for DW_OP_call_frame_cfa */
};

enum expr_result {
	EXPR_ADDRESS, /* the result is where the register was saved */
	EXPR_VALUE,   /* the result is its value */
};

/* Evaluates what libdw returns for a CFA or a register.  enum expr_result and
 * *result, or -EINVAL (no valid expression, or one that does not end),
 * -EFAULT (it needs what cannot be read). */
int expr_eval(const struct expr_env *env, const Dwarf_Op *ops, size_t n, uint64_t *result);

/* -- rows (unwind-row.c) ---------------------------------------------------- */

enum row_kind {
	ROW_OFFSET,    /* CFA = register + cfa_off */
	ROW_DEREF,     /* CFA = word at (register + cfa_off): realigned frames,
			  signal frames */
	ROW_FULL,      /* needs the evaluator; cfa_off is the number of the full row */
	ROW_OUTERMOST, /* the return address is undefined: nobody called this */
	ROW_NO_CFI,    /* in a module's text, but it says nothing; cfa_off is the
			  distance from the function's start, −1: unknown */
	ROW_UNKNOWN,   /* in no module's text; cfa_off counts how often it was seen */
};

/* What is known of one code address.  The rest of the registers is in a set of
 * saves, of which there are few: all functions that push the same registers
 * share one. */
struct row {
	taddr_t pc;      /* looked up: a return address minus one, or an exact pc;
			    0: this place of the table is free */
	uint32_t module; /* id */
	int32_t cfa_off;
	int32_t ra_off;  /* where the return address is, from the CFA or the base */
	uint16_t saves;  /* number of the set */
	uint8_t kind;    /* enum row_kind */
	uint8_t cfa_reg; /* DWARF number */
};

enum ra_where {
	RA_AT_CFA,  /* at CFA + ra_off */
	RA_AT_BASE, /* at base + ra_off */
	RA_IN_REG,  /* still in register ra_reg */
};

#define NO_BASE 0xff

struct save {
	int32_t off;
	uint8_t reg;
	bool from_base; /* else from the CFA */
	uint8_t pad[2];
};

struct saves {
	uint64_t mask;    /* of the registers in s */
	uint8_t ra;       /* enum ra_where */
	uint8_t ra_reg;
	uint8_t base_reg; /* its value in this frame is the base, or NO_BASE */
	bool signal;      /* the frame beyond was interrupted, it did not call */
	bool sp_saved;    /* s has the stack pointer: it is not just the CFA */
	uint8_t n;
	uint8_t origin;   /* enum frame_origin of the frame beyond */
	bool doubtful;    /* its pc must follow a call */
	int32_t mode_off; /* of a signal frame: from the base to the word with the
			     instruction set; 0: none */
	struct save s[];
};

/* A row whose rules are expressions. */
struct full_row {
	bool signal;
	uint8_t ra_reg;
	const Dwarf_Op *cfa;
	size_t ncfa;
	size_t nregs;
	struct full_rule {
		uint8_t reg;
		const Dwarf_Op *ops;
		size_t n;
	} regs[];
};

#define SAVES_MAX_BYTES (sizeof(struct saves) + ABI_MAX_DWARF * sizeof(struct save))

/* Where rows are put: everything but pc and module is filled in. */
struct row_maker {
	struct row *row;
	struct saves *saves;    /* SAVES_MAX_BYTES; for ROW_OFFSET and ROW_DEREF */
	struct full_row *full;  /* made for ROW_FULL, one piece for free() */
	taddr_t end;            /* row_make(): it is right up to there, in the file;
				   0: there is none */
};

/* The row at an address of the file; `cfi` may be NULL.  Without any usable
 * information the row becomes ROW_NO_CFI and false is returned. */
bool row_make(const struct abi *abi, Dwarf_CFI *cfi, taddr_t vaddr, struct row_maker *out);

/* A set with nothing in it. */
void saves_clear(struct saves *s, int ra_reg, bool signal);
void saves_add(struct saves *s, uint8_t reg, int32_t off, bool from_base);

/* -- rows of the ABI's own making (unwind-arch.c) ---------------------------- */

struct walk;

/* The row of the frame in which w is, in module m.  False: this way knows none. */
bool row_of_signal(struct walk *w, const struct module *m, struct row_maker *out);
bool row_of_exidx(struct walk *w, const struct module *m, struct row_maker *out);
bool row_of_prologue(struct walk *w, const struct module *m, struct row_maker *out);
/* The row at an address of the file from what a client gave; `g` may be NULL. */
bool row_of_given(const struct given_rows *g, const struct abi *abi, struct elf_file *f, taddr_t vaddr,
		  struct row_maker *out);
/* Is this code pointer where a signal handler returns to? */
bool unwind_is_trampoline(struct walk *w, taddr_t code);
/* Is a frame's exact pc so near the function's beginning that a table which is
 * right at calls only may not be? */
bool unwind_in_prologue(struct walk *w, const struct module *m);

/* -- the table (unwind-table.c) --------------------------------------------- */

struct row_table {
	struct row *slot;  /* 1 << bits, linear probing */
	unsigned bits;
	size_t n;
	VEC(struct saves *) saves;
	VEC(struct full_row *) full; /* NULL: free for another */
};

void row_table_init(struct row_table *t);
void row_table_release(struct row_table *t);
/* The row of pc, or NULL. */
static inline struct row *row_table_find(const struct row_table *t, taddr_t pc);
/* Adds a row (its pc is not in the table yet).  Rows move. */
struct row *row_table_add(struct row_table *t, const struct row *row);
/* Forgets the rows of [start, end). */
void row_table_forget(struct row_table *t, taddr_t start, taddr_t end);
/* The number of an equal set; -ENOSPC when there are too many. */
int row_table_intern(struct row_table *t, const struct saves *s);
/* Takes the full row over; its number. */
int32_t row_table_keep(struct row_table *t, struct full_row *full);

static inline size_t row_home(const struct row_table *t, taddr_t pc)
{
	return pc * 0x9e3779b97f4a7c15u >> (64 - t->bits);
}

static inline struct row *row_table_find(const struct row_table *t, taddr_t pc)
{
	size_t mask = ((size_t)1 << t->bits) - 1;

	for (size_t i = row_home(t, pc);; i = (i + 1) & mask) {
		struct row *r = &t->slot[i];

		if (r->pc == pc)
			return r;
		if (!r->pc)
			return NULL;
	}
}

/* -- memory (unwind-mem.c) -------------------------------------------------- */

#define CHUNK_SIZE 4096
#define CHUNKS 4

/* Sees the tracee's memory during one backtrace: the copy of the stack first,
 * then pages read as needed and kept until the next backtrace. */
struct unwind_mem {
	taddr_t copy_addr;
	size_t copy_words_end; /* offsets below it have a whole word in the copy */
	const uint8_t *copy;
	size_t copy_len;
	uint64_t mask;         /* of an address */
	uint8_t word;
	bool swap;             /* the tracee's byte order is not ours */
	const struct mem_reader *reader;
	uint64_t *refills;
	unsigned next;         /* the chunk to be overwritten next */
	unsigned nchunks;      /* valid ones */
	struct chunk {
		taddr_t addr;
		size_t len;
		uint8_t bytes[CHUNK_SIZE];
	} chunk[CHUNKS];
};

void unwind_mem_begin(struct unwind_mem *m, const struct abi *abi, const struct stack_copy *copy);
/* Reads 1, 2, 4 or 8 bytes as a number.  False: not readable. */
bool unwind_mem_load(struct unwind_mem *m, taddr_t addr, unsigned size, uint64_t *value);

/* A pointer at addr. */
static inline bool unwind_mem_word(struct unwind_mem *m, taddr_t addr, uint64_t *value)
{
	size_t off = addr - m->copy_addr;

	if (__builtin_expect(off < m->copy_words_end && !m->swap, 1)) {
		if (m->word == 8) {
			memcpy(value, m->copy + off, 8);
		} else {
			uint32_t v;

			memcpy(&v, m->copy + off, 4);
			*value = v;
		}
		return true;
	}
	return unwind_mem_load(m, addr, m->word, value);
}

/* -- the walk (unwind.c) ---------------------------------------------------- */

struct unwinder {
	const struct abi *abi;
	struct modules *modules;
	struct mem_reader reader;
	bool (*refresh)(void *arg);
	void *arg;
	uint64_t code_mask;
	struct maps maps; /* for code outside of modules; read when needed */
	bool have_maps;
	struct row_table rows;
	struct given_rows *given;
	bool keep_rest;
	struct unwind_stats stats;
	struct unwind_mem mem;
	union {
		struct saves saves;
		uint8_t room[SAVES_MAX_BYTES];
	} scratch;
};

struct walk {
	struct unwinder *u;
	struct unwind_mem *mem;
	const struct abi *abi;
	struct backtrace *out;
	taddr_t pc, sp;
	uint8_t exact, origin;
	uint8_t mode;      /* the code bit of pc */
	uint8_t switches;
	bool unknown;      /* this frame's code is not known, and no guess helps */
	bool fp_lost;      /* code without CFI may have saved the frame pointer … */
	taddr_t lost_from; /* … somewhere between here and sp */
	uint64_t in_mem; /* bit set: val is where the register was saved */
	uint64_t val[ABI_MAX_DWARF];
};

enum step { STEP_ON, STEP_OUTERMOST, STEP_LOST };

static inline void set_reg(struct walk *w, unsigned reg, uint64_t v)
{
	w->in_mem &= ~(1ull << reg);
	w->val[reg] = v;
}

static inline bool get_reg(struct walk *w, unsigned reg, uint64_t *v)
{
	if (__builtin_expect(w->in_mem >> reg & 1, 0)) {
		uint64_t x;

		if (!unwind_mem_word(w->mem, w->val[reg], &x))
			return false;
		set_reg(w, reg, x);
	}
	*v = w->val[reg];
	return true;
}

/* A return address without its signature. */
static inline taddr_t plain_code(const struct unwinder *u, taddr_t pc)
{
	return pc & u->code_mask;
}

static inline bool in_text(const struct module *m, taddr_t pc)
{
	return m && pc >= m->text_start && pc < m->text_end;
}

/* Is there executable memory at pc, in a module or not?  `again`: the copy of
 * the maps may be out of date. */
bool unwinder_executable(struct unwinder *u, taddr_t pc, bool again);
/* The next frame's pc and stack pointer are these. */
enum step walk_arrive(struct walk *w, taddr_t pc, taddr_t sp, enum frame_origin origin);

/* Steps from a frame without call-frame information (unwind-guess.c). */
enum step walk_blind(struct walk *w, const struct row *row);
/* Before a row that needs the frame pointer, when fp_lost. */
void walk_find_fp(struct walk *w, const struct row *row);
/* Does a call end at this code pointer, as far as can be told? */
bool unwind_after_call(struct walk *w, taddr_t code);
/* Distance from the start of pc's function, −1: unknown. */
int32_t unwind_into_function(const struct module *m, taddr_t pc);

#endif
