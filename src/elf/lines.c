/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From an address to functions and source lines, through DWARF.
 *
 * Two tables are made as they are needed: which compilation unit covers an
 * address (from the units themselves: .debug_aranges is often missing or
 * partial), and for each unit that was asked about, which function does. */
#include <dwarf.h>
#include "file.h"

#define MAX_DEPTH 64      /* of nested scopes */
#define MAX_UNITS 1000000u
#define MAX_DIES 20000000u
#define MAX_RANGES 8000000u

struct range {
	taddr_t lo, hi;
	Dwarf_Off die;  /* in .debug_info: a unit's or a function's */
	uint32_t unit;  /* index into units */
};

struct unit {
	VEC(struct range) funcs;
	bool built, deep; /* deep: functions inside functions are there too */
};

struct line_index {
	VEC(struct range) ranges;
	struct unit *units;
	size_t n;
};

/* -- the tables --------------------------------------------------------------- */

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	/* The larger first, so that the nearest one before is the innermost. */
	if (x->hi != y->hi)
		return x->hi > y->hi ? -1 : 1;
	return x->die < y->die ? -1 : x->die > y->die;
}

/* The last range that begins at or before addr and covers it. */
static const struct range *covering(const struct range *v, size_t n, taddr_t addr)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v[mid].lo <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo; i > 0 && lo - i < MAX_DEPTH; i--)
		if (addr < v[i - 1].hi)
			return &v[i - 1];
	return NULL;
}

static void add_unit_ranges(struct line_index *li, Dwarf_Die *die)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;

	while (li->ranges.n < MAX_RANGES &&
	       (at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0)
		/* Functions that the linker dropped stay at 0 (or 1). */
		if (lo > 1 && hi > lo)
			vec_push(&li->ranges, (struct range){
				.lo = lo, .hi = hi, .die = dwarf_dieoffset(die),
				.unit = (uint32_t)li->n });
}

static struct line_index *index_units(Dwarf *dw)
{
	struct line_index *li = xcalloc(1, sizeof *li);
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;

	while (li->n < MAX_UNITS && dwarf_get_units(dw, cu, &cu, NULL, &type, &die, NULL) == 0) {
		if (type == DW_UT_compile || type == DW_UT_skeleton)
			add_unit_ranges(li, &die);
		li->n++;
	}
	li->units = xcalloc(li->n + 1, sizeof *li->units);
	if (li->ranges.n)
		qsort(li->ranges.v, li->ranges.n, sizeof *li->ranges.v, compare_ranges);
	return li;
}

void lines_release(struct line_index *li)
{
	if (!li)
		return;
	for (size_t i = 0; i < li->n; i++)
		vec_release(&li->units[i].funcs);
	vec_release(&li->ranges);
	free(li->units);
	free(li);
}

/* Can functions be defined inside?  `deep`: inside functions, too (GNU C, Ada,
 * Pascal, Fortran), which means reading everything. */
static bool may_hold_functions(int tag, bool deep)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
		return true;
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
		return deep;
	default:
		return false;
	}
}

static void add_function(struct unit *u, Dwarf_Die *die)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;

	while (u->funcs.n < MAX_RANGES && (at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0)
		if (lo > 1 && hi > lo)
			vec_push(&u->funcs, (struct range){ .lo = lo, .hi = hi,
				.die = dwarf_dieoffset(die) });
}

/* Steps to the sibling, or to that of the nearest ancestor that has one.
 * False: the walk is over. */
static bool next_die(Dwarf_Die *stack, int *depth)
{
	while (*depth >= 0) {
		if (dwarf_siblingof(&stack[*depth], &stack[*depth]) == 0)
			return true;
		(*depth)--;
	}
	return false;
}

static void index_functions(struct unit *u, Dwarf_Die *unit_die, bool deep)
{
	Dwarf_Die stack[MAX_DEPTH];
	int depth = 0;
	unsigned count = 0;

	u->built = true;
	u->deep = deep;
	u->funcs.n = 0;
	if (dwarf_child(unit_die, &stack[0]) != 0)
		return;
	do {
		Dwarf_Die *die = &stack[depth];
		int tag = dwarf_tag(die);

		if (tag == DW_TAG_subprogram)
			add_function(u, die);
		if (depth + 1 < MAX_DEPTH && may_hold_functions(tag, deep) &&
		    dwarf_child(die, &stack[depth + 1]) == 0) {
			depth++;
			continue;
		}
		if (!next_die(stack, &depth))
			break;
	} while (count++ < MAX_DIES);
	if (u->funcs.n)
		qsort(u->funcs.v, u->funcs.n, sizeof *u->funcs.v, compare_ranges);
}

static bool function_die(Dwarf *dw, struct unit *u, Dwarf_Die *unit_die, taddr_t vaddr,
			 Dwarf_Die *out)
{
	const struct range *r;

	if (!u->built)
		index_functions(u, unit_die, false);
	r = covering(u->funcs.v, u->funcs.n, vaddr);
	if (!r && !u->deep) {
		index_functions(u, unit_die, true);
		r = covering(u->funcs.v, u->funcs.n, vaddr);
	}
	return r && dwarf_offdie(dw, r->die, out);
}

/* -- inlined functions --------------------------------------------------------- */

static bool is_scope(int tag)
{
	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* The child scope of `die` that covers vaddr. */
static bool scope_below(Dwarf_Die *die, taddr_t vaddr, Dwarf_Die *out)
{
	Dwarf_Die child;
	unsigned count = 0;

	if (dwarf_child(die, &child) != 0)
		return false;
	do {
		if (is_scope(dwarf_tag(&child)) && dwarf_haspc(&child, vaddr) > 0) {
			*out = child;
			return true;
		}
	} while (count++ < MAX_DIES && dwarf_siblingof(&child, &child) == 0);
	return false;
}

/* The function and what is inlined in it at vaddr, outermost first. */
static int inline_chain(Dwarf_Die *func, taddr_t vaddr, Dwarf_Die *chain)
{
	Dwarf_Die at = *func;
	int n = 0;

	chain[n++] = *func;
	for (int depth = 0; depth < MAX_DEPTH && n < MAX_DEPTH; depth++) {
		if (!scope_below(&at, vaddr, &at))
			break;
		if (dwarf_tag(&at) == DW_TAG_inlined_subroutine)
			chain[n++] = at;
	}
	return n;
}

static const char *string_attr(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute a;

	return dwarf_attr_integrate(die, name, &a) ? dwarf_formstring(&a) : NULL;
}

static const char *die_name(Dwarf_Die *die)
{
	const char *s = string_attr(die, DW_AT_linkage_name);

	if (!s)
		s = string_attr(die, DW_AT_MIPS_linkage_name);
	return s ? s : string_attr(die, DW_AT_name);
}

static void unit_line(Dwarf_Die *unit, taddr_t vaddr, struct source_frame *out)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, vaddr);
	int n;

	if (!line)
		return;
	out->file = dwarf_linesrc(line, NULL, NULL);
	if (dwarf_lineno(line, &n) == 0 && n > 0)
		out->line = (unsigned)n;
}

/* Where an inlined function was called. */
static void call_site(Dwarf_Die *unit, Dwarf_Die *inlined, struct source_frame *out)
{
	Dwarf_Attribute a;
	Dwarf_Word v;
	Dwarf_Files *files;
	size_t n;

	if (dwarf_attr(inlined, DW_AT_call_line, &a) && dwarf_formudata(&a, &v) == 0)
		out->line = (unsigned)v;
	if (dwarf_attr(inlined, DW_AT_call_file, &a) && dwarf_formudata(&a, &v) == 0 &&
	    dwarf_getsrcfiles(unit, &files, &n) == 0 && v < n)
		out->file = dwarf_filesrc(files, v, NULL, NULL);
}

/* -- outside --------------------------------------------------------------------- */

struct answer {
	int n;
	void (*fn)(void *arg, const struct source_frame *);
	void *arg;
	const char *dir; /* of the unit */
};

static void emit(struct answer *a, struct source_frame *s)
{
	a->n++;
	s->dir = s->file ? a->dir : NULL;
	a->fn(a->arg, s);
}

static const char *symbol_name(struct elf_file *f, taddr_t vaddr)
{
	struct elf_symbol s;

	return elf_file_function_at(f, vaddr, &s) ? s.name : NULL;
}

/* glibc calls its own functions by hidden names, of which the function's entry
 * knows only that one: __GI___strdup.  The user's is strdup. */
static const char *plain_name(struct elf_file *f, taddr_t vaddr, const char *name, bool inlined)
{
	static const char hidden[] = "__GI_";
	const char *symbol;

	if (name && strncmp(name, hidden, strlen(hidden)))
		return name;
	symbol = inlined ? NULL : symbol_name(f, vaddr);
	if (symbol)
		return symbol;
	return name ? name + strlen(hidden) : NULL;
}

static void emit_chain(struct answer *a, struct elf_file *f, taddr_t vaddr, Dwarf_Die *unit,
		       Dwarf_Die *chain, int n)
{
	struct source_frame s = {0};

	unit_line(unit, vaddr, &s);
	for (int i = n - 1; i >= 0; i--) {
		s.inlined = i > 0;
		s.function = plain_name(f, vaddr, die_name(&chain[i]), i > 0);
		emit(a, &s);
		s = (struct source_frame){0};
		if (i > 0)
			call_site(unit, &chain[i], &s);
	}
}

static bool dwarf_lines(struct answer *a, struct elf_file *f, taddr_t vaddr)
{
	struct elf_file *owner;
	Dwarf *dw = file_any_dwarf(f, true, &owner);
	Dwarf_Die unit, func, chain[MAX_DEPTH];
	const struct range *r;
	struct source_frame s = {0};

	if (!dw)
		return false;
	if (!owner->lines)
		owner->lines = index_units(dw);
	r = covering(owner->lines->ranges.v, owner->lines->ranges.n, vaddr);
	if (!r || !dwarf_offdie(dw, r->die, &unit))
		return false;
	a->dir = string_attr(&unit, DW_AT_comp_dir);
	if (function_die(dw, &owner->lines->units[r->unit], &unit, vaddr, &func)) {
		emit_chain(a, f, vaddr, &unit, chain, inline_chain(&func, vaddr, chain));
		return true;
	}
	/* Hand-written code has lines, but its functions are symbols only. */
	unit_line(&unit, vaddr, &s);
	if (!s.file)
		return false;
	s.function = symbol_name(f, vaddr);
	emit(a, &s);
	return true;
}

int elf_file_lines(struct elf_file *f, taddr_t vaddr,
		   void (*fn)(void *arg, const struct source_frame *), void *arg)
{
	struct answer a = { .fn = fn, .arg = arg };
	struct source_frame s = {0};

	if (dwarf_lines(&a, f, vaddr))
		return a.n;
	s.function = symbol_name(f, vaddr);
	if (s.function)
		emit(&a, &s);
	return a.n;
}

bool elf_file_has_lines(struct elf_file *f)
{
	struct elf_file *owner;

	return file_any_dwarf(f, true, &owner) && file_has_dwarf(owner, DWARF_LINE);
}
