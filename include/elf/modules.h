/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ELF objects mapped into one address space, as /proc/PID/maps tells. */
#ifndef MTRACE_ELF_MODULES_H
#define MTRACE_ELF_MODULES_H

#include "base/types.h"
#include "base/vec.h"
#include "elf/elf_file.h"

/* One line of /proc/PID/maps. */
struct map_line {
	taddr_t start, end;
	uint64_t offset, dev, ino;
	bool r, w, x, shared;
	bool deleted;      /* the file was unlinked or replaced */
	const char *path;  /* without " (deleted)"; "" anonymous; "[stack]" … */
};

/* A parsed copy of the maps: lines in ascending order. */
struct maps {
	VEC(struct map_line) lines;
	char *text; /* what the paths point into */
};

/* Reads /proc/PID/maps.  0 or -errno (-ESRCH: gone). */
int maps_read(struct maps *m, pid_t pid);
/* The same from text that the caller hands over (tests, fuzzers); modified. */
int maps_parse(struct maps *m, char *text);
const struct map_line *maps_find(const struct maps *m, taddr_t addr);
void maps_release(struct maps *m);

struct module {
	uint32_t id;         /* unique in the session, never reused, from 1 */
	taddr_t start, end;  /* extent of its mappings */
	taddr_t bias;        /* address in the tracee − address in the file */
	taddr_t text_start, text_end; /* extent of its executable, non-writable mappings */
	char *path;          /* as the tracee sees it; "[vdso]" */
	uint64_t dev, ino, offset;
	bool deleted;
	bool is_vdso;
	bool executable;     /* one of its mappings is: always, once listed */
	struct elf_file *file; /* NULL: could not be opened */
	int open_error;      /* errno of that */
	void *user;          /* the owner's */
};

struct modules {
	pid_t pid;
	struct mem_reader mem;   /* for the vdso and deleted files */
	VEC(struct module *) v;  /* sorted by start */
	struct module *last;     /* found last */
	uint32_t generation;     /* changes when one goes */
};

void modules_init(struct modules *ms, pid_t pid, const struct mem_reader *mem);
/* Brings the list in step with the maps (a file that is only looked at, with no
 * executable mapping, is no module): `gone` is called for what is no more
 * (or is another file now at that place) before `added` for what is new; both
 * may be NULL.  The pointer given to `gone` dies after it.
 * Files are opened as design decision 17 says: /proc/PID/map_files, then the
 * path under /proc/PID/root when device and inode agree, then from memory. */
void modules_update(struct modules *ms, const struct maps *maps,
		    void (*added)(void *, struct module *), void (*gone)(void *, struct module *),
		    void *arg);
/* The module whose extent covers addr, or NULL. */
struct module *modules_find(struct modules *ms, taddr_t addr);
/* A copy for a forked child: same ids, files referenced again, user NULL. */
void modules_copy(struct modules *to, const struct modules *from, pid_t pid,
		  const struct mem_reader *mem);
void modules_release(struct modules *ms);

#endif
