/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF files: identity, segments, symbols, call-frame information, and (for
 * reports) functions and lines.  Opened once per session for one (device,
 * inode, mtime): every process that maps libc shares one.  Nothing in a file
 * is trusted; a damaged one gives fewer answers, never a crash.  Large files
 * are mapped, not read. */
#ifndef MTRACE_ELF_ELF_FILE_H
#define MTRACE_ELF_ELF_FILE_H

#include "base/types.h"

struct elf_file;
struct Dwarf_CFI_s;

/* Reads the tracee's memory: bytes read, may be short, or -errno. */
struct mem_reader {
	ssize_t (*read)(void *arg, taddr_t addr, void *buf, size_t len);
	void *arg;
};

struct elf_ident {
	uint16_t machine;
	uint16_t type; /* ET_EXEC, ET_DYN, … */
	uint8_t class, data;
	taddr_t entry;
	bool has_interp;   /* PT_INTERP: dynamically linked */
	bool has_dynamic;  /* PT_DYNAMIC */
};

struct elf_segment {
	taddr_t vaddr;
	uint64_t memsz, filesz, offset;
	uint32_t flags; /* PF_… */
};

/* Opens what is at `path` (which may be a name under /proc); `name` is what
 * the tracee calls it, used in messages and to find separate debug files.
 * Returns a reference, or NULL with errno: ENOEXEC when it is no ELF file or
 * a damaged one. */
struct elf_file *elf_file_open(const char *path, const char *name);
/* The object whose headers are mapped at `start` in a tracee (vdso; deleted or
 * unreadable files): dynamic symbols and .eh_frame read from memory.  `len`
 * is the extent of its mappings. */
struct elf_file *elf_file_from_memory(const struct mem_reader *mem, taddr_t start, uint64_t len,
				      const char *name);
/* The build id of the object whose headers are at `start`: its length, 0 when
 * none was found near the headers or it is longer than max. */
size_t elf_memory_build_id(const struct mem_reader *mem, taddr_t start, uint8_t *id, size_t max);
/* The bytes that elf_file_from_memory() put together, as long as the file lives;
 * NULL: it is a file of its own. */
const uint8_t *elf_file_memory_image(const struct elf_file *, uint64_t *size, taddr_t *bias);
/* A file of such bytes, which are copied.  A new reference, or NULL with errno. */
struct elf_file *elf_file_from_image(const void *bytes, uint64_t size, taddr_t bias,
				     const char *name);
struct elf_file *elf_file_ref(struct elf_file *);
void elf_file_unref(struct elf_file *);
/* A file that is open in this session, by build id (len > 0), else by device
 * and inode.  A new reference or NULL. */
struct elf_file *elf_file_find(const uint8_t *build_id, size_t len, uint64_t dev, uint64_t ino);

const struct elf_ident *elf_file_ident(const struct elf_file *);
const char *elf_file_name(const struct elf_file *);
/* Bytes, or NULL with *len 0. */
const uint8_t *elf_file_build_id(const struct elf_file *, size_t *len);
/* PT_LOAD segments in ascending order. */
size_t elf_file_segments(const struct elf_file *, const struct elf_segment **out);
/* Bytes of the file's image at a virtual address that a non-writable PT_LOAD
 * covers; bytes copied (may be fewer), 0 when none. */
size_t elf_file_image(const struct elf_file *, taddr_t vaddr, void *buf, size_t len);
/* Does DT_NEEDED (or the name) say so: "libasan", "libtsan"…  True when any
 * DT_NEEDED entry begins with `prefix`. */
bool elf_file_needs(const struct elf_file *, const char *prefix);

/* -- symbols ------------------------------------------------------------- */

struct elf_symbol {
	const char *name;    /* without a version; lives as long as the file */
	const char *version; /* NULL or "GLIBC_2.34" */
	taddr_t value;       /* virtual address in the file, Thumb bit cleared */
	taddr_t code;        /* the same as a code pointer, with it (arch/abi.h) */
	uint64_t size;
	bool ifunc;          /* value is the resolver's */
	bool global;
	bool is_default;     /* default version (name@@version), or none */
};

/* Where symbols are looked for. */
enum {
	SYMS_OWN = 1,   /* .dynsym (by its hash table), .symtab, .gnu_debugdata */
	SYMS_DEBUG = 2, /* the separate debug file, by build id and debug link */
};

/* Calls fn for every *defined* function symbol whose name is in
 * names[0…n−1] (an index is handed on).  .symtab is walked only for names
 * that .dynsym does not define.  Number of calls made, or -errno. */
int elf_file_find_functions(struct elf_file *, const char *const *names, size_t n, unsigned where,
			    void (*fn)(void *arg, size_t index, const struct elf_symbol *),
			    void *arg);
/* The function symbol that covers vaddr.  A symbol of size 0 reaches to the
 * next one, or to the end of its section; a covering symbol beats a nearer one of size 0; global beats
 * local.  Searches everything there is, separate debug files too (never
 * over the network).  Stubs of x86's .plt are called "malloc@plt".  False:
 * none. */
bool elf_file_function_at(struct elf_file *, taddr_t vaddr, struct elf_symbol *out);
/* The last function symbol that begins at or before vaddr, whether it covers that
 * or not.  False: none. */
bool elf_file_function_before(struct elf_file *, taddr_t vaddr, struct elf_symbol *out);
/* The data symbol (variable, vtable, constant) that covers vaddr, looked for in
 * the same places; one without a size covers nothing.  False: none. */
bool elf_file_object_at(struct elf_file *, taddr_t vaddr, struct elf_symbol *out);
/* The name of the section that covers vaddr, ".bss"; NULL: none does.  Lives as
 * long as the file. */
const char *elf_file_section_at(const struct elf_file *, taddr_t vaddr);
/* Value (in the tracee, unrelocated) of every IRELATIVE/JUMP_SLOT/GLOB_DAT
 * relocation: r_offset, type class, symbol name or addend.  fn returns false
 * to stop. */
enum elf_reloc_kind { RELOC_IRELATIVE, RELOC_SYMBOL };
void elf_file_each_got(struct elf_file *,
		       bool (*fn)(void *arg, enum elf_reloc_kind kind, taddr_t slot, taddr_t addend,
				  const char *symbol),
		       void *arg);

/* -- call-frame information ------------------------------------------------ */

enum { CFI_EH_FRAME = 0, CFI_DEBUG_FRAME = 1 };
/* libdw's handle, opened on first use, owned by the file, for addresses of the
 * file (without the load bias).  NULL: none (for
 * CFI_DEBUG_FRAME the separate debug file is looked at too).  For objects
 * without PT_GNU_EH_FRAME the sections serve. */
struct Dwarf_CFI_s *elf_file_cfi(struct elf_file *, int which);

/* ARM's table of unwinding instructions, .ARM.exidx, which every loaded object
 * has in memory. */
enum exidx_kind {
	EXIDX_NONE, /* no entry covers the address, or a damaged one */
	EXIDX_CANT, /* "cannot be unwound" */
	EXIDX_OPS,
};
#define EXIDX_MAX_OPS (3 + 4 * 255)
struct exidx_entry {
	taddr_t start, end; /* what it covers: one function, or several like it */
	size_t n;
	uint8_t ops[EXIDX_MAX_OPS];
};
enum exidx_kind elf_file_exidx(struct elf_file *, taddr_t vaddr, struct exidx_entry *out);
/* The code from vaddr on, as it is in the file: *len bytes in the same
 * executable and read-only segment, which live as long as the file.  NULL:
 * none. */
const uint8_t *elf_file_code(const struct elf_file *, taddr_t vaddr, uint64_t *len);

/* -- functions and lines for people --------------------------------------- */

struct source_frame {
	const char *function; /* mangled or not as found; NULL unknown */
	const char *file;     /* NULL unknown */
	unsigned line;        /* 0 unknown */
	bool inlined;         /* this function is inlined into the next frame */
	const char *dir;      /* the compiler's, where `file` begins that is not
				 absolute; NULL unknown */
};

/* Where debug information is looked for when a file has none. */
struct debug_opts {
	const char *const *dirs; /* NULL-terminated; NULL: /usr/lib/debug */
	bool debuginfod;         /* ask DEBUGINFOD_URLS, when it is set */
	unsigned debuginfod_timeout_s;
	volatile const int *interrupted; /* non-zero: stop asking */
	/* Progress: NULL or called now and then with bytes; returns non-zero
	 * to give up. */
	int (*progress)(const char *name, long have, long total);
};
void elf_set_debug_opts(const struct debug_opts *opts); /* copied, strings kept */
/* Folders that are copies of the target's "/": debug files are looked for below them
 * first.  NULL-terminated, kept; NULL: none. */
void elf_set_debug_roots(const char *const *roots);
/* The debug file that is kept here of a module with that path and build id, whose own
 * file is not.  A new reference or NULL. */
struct elf_file *elf_file_open_debug(const char *name, const uint8_t *id, size_t len);

/* Expands the frames that are inlined at vaddr, innermost first, the function
 * itself last: fn is called at least once when anything is known; strings
 * live as long as the file.  Names come from DWARF (linkage name) or the
 * symbol tables.  Number of calls. */
int elf_file_lines(struct elf_file *, taddr_t vaddr,
		   void (*fn)(void *arg, const struct source_frame *), void *arg);
/* Does it have (or has one found) line information?  For the hint which
 * package to install. */
bool elf_file_has_lines(struct elf_file *);

/* C++, Rust (and D, …) names made readable; the caller frees.  NULL when the
 * name is not mangled. */
char *elf_demangle(const char *mangled);

#endif
