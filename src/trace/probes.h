/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions we observe: a table, extended by the user, and where they
 * were found in a process. */
#ifndef TRACE_PROBES_H
#define TRACE_PROBES_H

#include "base/vec.h"
#include "model/event.h"
#include "trace/trace.h"

/* Finer than alloc_op: how the arguments and the result are to be read. */
enum probe_kind {
	KIND_PLAIN,     /* result is the block, NULL a failure */
	KIND_OUT,       /* int f(void **out, …): 0 and *out (posix_memalign) */
	KIND_XALLOCX,   /* result is the new usable size, the block stays */
	KIND_MMAP,      /* result is the block or MAP_FAILED */
	KIND_BRK,       /* int brk(void *) */
	KIND_SBRK,      /* void *sbrk(intptr_t) */
	KIND_FREES_OLD, /* reallocf: the old block goes even when it fails */
};

/* One row: arguments counted from 1, 0 where there is none. */
struct probe {
	const char *symbol;
	const char *name;  /* for people; NULL: the symbol */
	enum alloc_op op;
	enum probe_kind kind;
	enum family family;
	uint8_t ptr_arg, size_arg, count_arg, align_arg, out_arg;
	uint16_t flags;
	uint8_t old_size_arg; /* of OP_REALLOC: the size there was */
	uint8_t mallocx_arg; /* jemalloc's flags, of which one asks for zeros */
};

enum {
	PROBE_CPP = 1,      /* left out by -n */
	PROBE_FORWARDS = 2, /* in libstdc++ and libc++ its body calls malloc and
			       adds nothing: recognised there, no breakpoint */
	PROBE_STRING = 4,   /* what it allocates is a string: strdup */
	PROBE_USER = 8,
	PROBE_THROWS = 16, /* no allocation function: an operator new that calls
			      it will end with an exception */
	PROBE_RUST = 64,    /* forwards to malloc, and is left out, where there is … */
	PROBE_RUST_DEFAULT = 128, /* … this, which is none itself */
	PROBE_LEFT_OUT = 32, /* looked for only to know that it is there */
	PROBE_OLDER = 256,  /* no function: stands for what was allocated before
			       the attach (census.c) */
	PROBE_NEW = 512,    /* new by another name: may end with an exception */
	PROBE_ZEROES = 1024, /* the memory it hands out is zeroed */
	PROBE_USABLE = 2048, /* tells how large a block is (ptr_arg), or would be
			       (size_arg): only with red zones */
};

/* The function as a message names it: its symbol, or OBJECT+OFFSET. */
static inline const char *probe_symbol(const struct probe *p)
{
	return *p->symbol ? p->symbol : p->name;
}

/* A probe in one process. */
struct probe_site {
	const struct probe *probe;
	uint16_t id;          /* as events name it */
	taddr_t addr;
	uint64_t size;        /* of the function; 0: unknown */
	struct module *module;
	bool resolver;        /* of an indirect function: returns where that is */
	bool leaf;            /* a release that calls no other probe */
	uint8_t families;     /* 1 << family of every name it has */
	uint8_t size_arg;     /* of a release, when all its names agree */
};

/* A resolver is running: what it returns is to be observed. */
struct resolving {
	pid_t tid;
	taddr_t sp;
	uint16_t id;
};

struct probe_set {
	VEC(struct probe) probe;   /* built-in rows, then the user's */
	VEC(const char *) symbol;  /* of probe[i]; "" for OBJECT+OFFSET */
	VEC(uint32_t) found;       /* how many sites each one got */
	const struct trace_opts *opts;
	VEC(uint32_t) omitted;     /* how many objects each -O left out */
	size_t nbuiltin;
	bool *told;                /* EV_PROBE was sent */
	VEC(struct resolving) resolving;
};

struct probe_set *probe_set_new(const struct trace_opts *opts);
void probe_set_free(struct probe_set *ps);
/* Is the object left out by -O?  Counts that it was. */
bool probe_set_omits(struct probe_set *ps, const char *path);
/* What found nothing, as notes: fn gets one line each. */
void probe_set_complaints(struct probe_set *ps, void (*fn)(void *arg, const char *line), void *arg);

#endif
