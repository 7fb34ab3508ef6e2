/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this layer know of an elf_file. */
#ifndef MTRACE_ELF_FILE_PRIVATE_H
#define MTRACE_ELF_FILE_PRIVATE_H

#include <libelf.h>
#include <elfutils/libdw.h>
#include "base/hash.h"
#include "base/vec.h"
#include "image.h"

/* What .dynamic says, as offsets into the image; 0: not there. */
struct dynamic {
	struct symtab syms; /* .n: as many as the image could hold */
	bool counted;       /* .n is exact */
	uint64_t hash, gnu_hash, versym, verdef;
	uint64_t rel[3], relsz[3]; /* RELA, REL, JMPREL */
	bool jmprel_is_rela;
	uint64_t table, n; /* .dynamic itself: offset, entries */
};

/* A symbol in a sorted index: `ref` is its table and its place there, `size`
 * saturates. */
struct indexed {
	taddr_t value;
	uint32_t size, ref;
};

struct symbol_index {
	VEC(struct indexed) v; /* sorted by value, one for each */
	bool built, with_debug;
};

enum { TABLE_DYNSYM, TABLE_SYMTAB, TABLE_MINI, TABLE_DEBUG, N_TABLES };
#define REF_BITS 30

enum backing { BACKED_BY_MAP, BACKED_BY_HEAP };

enum debug_state {
	DEBUG_UNKNOWN,  /* not looked for */
	DEBUG_NOT_HERE, /* not on this machine; debuginfod was not asked */
	DEBUG_NOWHERE,
	DEBUG_FOUND,
};

struct line_index;

struct elf_file {
	struct elf_file *next; /* of the session */
	unsigned refs;
	char *name;  /* what the tracee calls it */
	char *root;  /* "/proc/PID/root" when it was opened below that, or "" */
	uint64_t dev, ino;
	struct timespec mtime;
	struct image im;
	enum backing backing;
	bool from_memory;
	bool is_debug; /* opened as the debug file of another */
	taddr_t bias; /* from_memory: pointers in .dynamic may have it added */
	struct elf_ident ident;
	VEC(struct elf_segment) segs;
	const uint8_t *build_id;
	size_t build_id_len;

	struct dynamic dyn;
	bool dyn_read;
	struct symtab tables[N_TABLES]; /* those that were looked for */
	unsigned tables_known;          /* bit n: tables[n] is */
	struct u64map names; /* symbol names that had to be copied */

	struct elf_file *mini;  /* .gnu_debugdata */
	bool mini_tried;
	struct elf_file *debug; /* separate debug file */
	enum debug_state debug_state;

	struct symbol_index funcs, objects;

	Elf *elf;
	bool elf_tried;
	Dwarf *dw;
	bool dw_tried, dwarf_sections_known;
	unsigned dwarf_sections; /* DWARF_… */
	struct elf_file *alt; /* what dwz moved out of this debug file */
	Dwarf_CFI *cfi;
	bool cfi_tried;
	uint64_t exidx, nexidx; /* .ARM.exidx: offset, entries */
	taddr_t exidx_addr;
	bool exidx_tried;
	struct line_index *lines;
};

extern struct debug_opts elf_debug_opts;

/* A new file over an image that it takes over; not in the session's list yet.
 * NULL with errno (the image is released). */
struct elf_file *file_new(const void *p, uint64_t size, enum backing backing, const char *name);
void file_enlist(struct elf_file *f);
/* Is p in a file that we have mapped?  Safe in a signal handler. */
bool file_maps_address(const void *p);
/* Lets reading a file that has shrunk give zeros. */
void file_guard_sigbus(void);
/* Offset in the image of what is at vaddr, with `len` bytes behind it in the
 * same segment.  False: not in the file. */
bool file_offset(const struct elf_file *f, taddr_t vaddr, uint64_t *off, uint64_t *len);
/* Is vaddr in a segment with all of these flags? */
bool file_in_segment(const struct elf_file *f, taddr_t vaddr, uint32_t flags);
const struct dynamic *file_dynamic(struct elf_file *f);

/* libelf's and libdw's handles on the file itself; NULL: none. */
Elf *file_elf(struct elf_file *f);
Dwarf *file_dwarf(struct elf_file *f);
/* Does it have one of these sections, with contents? */
enum { DWARF_INFO = 1, DWARF_LINE = 2, DWARF_FRAME = 4 };
bool file_has_dwarf(struct elf_file *f, unsigned which);
/* The Dwarf of the file or of its debug file, *owner has it.  `ask_network`:
 * debuginfod may be asked. */
Dwarf *file_any_dwarf(struct elf_file *f, bool ask_network, struct elf_file **owner);
/* The separate debug file, NULL: none. */
struct elf_file *file_debug(struct elf_file *f, bool ask_network);
struct elf_file *file_mini(struct elf_file *f);
/* A file under DIR/.build-id of the debug directories. */
struct elf_file *file_by_build_id(const struct elf_file *f, const uint8_t *id, size_t len,
				  const char *suffix);
/* What debuginfod has: an open name (the caller frees) or NULL. */
char *debuginfod_path(const uint8_t *id, size_t len, const char *name);

/* Table t for look-ups by index; false: there is none. */
bool file_table(struct elf_file *f, unsigned t, struct symtab *out);
/* Entry i of table t as the outside sees it. */
bool file_symbol(struct elf_file *f, unsigned t, uint64_t i, struct elf_symbol *out);
/* Is that symbol a function that is defined here? */
bool file_is_function(const struct elf_file *f, const struct symtab *t, const struct sym *s);
/* … or a variable, a table, a string: data with a size? */
bool file_is_object(const struct elf_file *f, const struct symtab *t, const struct sym *s);
/* A copy of a name that lives as long as the file, the same for the same key. */
const char *file_keep_name(struct elf_file *f, uint64_t key, const char *name, size_t len);
/* The name "malloc@plt" of a stub in a section of stubs; false: it is none. */
bool file_plt_symbol(struct elf_file *f, taddr_t vaddr, struct elf_symbol *out);

void lines_release(struct line_index *li);

#endif
