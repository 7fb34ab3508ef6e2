/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the lines of a heap log say, whichever system has written it: parsers (src/import)
 * make records of lines, and the books (src/import/books.c) make events of records.
 *
 * Lines come from serial cables: other text is before, between and behind records, and
 * bytes are lost.  A parser says what a line is and never guesses what a damaged one was.
 * Nothing is allocated for a line; what a record points to is in the line, or belongs to
 * the parser, until the next call. */
#ifndef MTRACE_IMPORT_RECORD_H
#define MTRACE_IMPORT_RECORD_H

#include "base/types.h"

enum import_format {
	IMPORT_AUTO,          /* found out by import_recognise */
	IMPORT_MBED,          /* mbed OS, the default callback of its memory tracing */
	IMPORT_MICROBIT,      /* micro:bit runtime (heap_debug), also of the Calliope mini */
	IMPORT_AZSPHERE,      /* Azure Sphere heap tracker */
	IMPORT_ESP,           /* ESP-IDF memory tracking utilities */
	IMPORT_ESP_HEAPTRACE, /* ESP-IDF heap tracing, heap_trace_dump() */
	IMPORT_GLIBC,         /* mtrace(3) */
	IMPORT_FORMATS,
};

enum import_what {
	RECORD_ALLOC,    /* addr, size; calloc: product too */
	RECORD_FREE,     /* addr; old_size where the target says it */
	RECORD_REALLOC,  /* old → addr, size; addr 0 and size 0: released */
	RECORD_FAILED,   /* size; of a realloc `old` stays what it was */
	RECORD_RESET,    /* the heap begins anew: all that was open is gone.  With `end`: only
			    what lay between addr and end, of several heaps one.  Its
			    bounds come behind, were they told before or not. */
	RECORD_BOUNDS,   /* of the heap: addr its start, size its bytes, or (size 0) `end` */
	RECORD_FIGURES,  /* what the target says of its heap: free, used, threshold */
	RECORD_BLOCK,    /* of a list of blocks in the heap's order: size with its header,
			    `is_free`; addr 0 */
	RECORD_END,      /* the log's own end mark (“= End”) */
	RECORD_LISTED,   /* as RECORD_ALLOC, but from a list of open blocks, which a target may
			    print many times: a block that is open already, at the same address
			    and with the same size, is the same one */
};

/* What the target itself had to say of an operation. */
enum import_verdict {
	VERDICT_NONE,
	VERDICT_ABOVE,     /* heap_allocated is above its threshold */
	VERDICT_UNTRACKED, /* a free of a pointer that it does not know */
	VERDICT_CUT,       /* the line ends before the result: the target died in it */
};

enum { IMPORT_FRAMES = 64 };

/* Whatever is not said is 0 or NULL; of pc only npc entries are written. */
struct import_record {
	enum import_what what;
	const char *operation;     /* a literal: "malloc", "heap_caps_calloc", "free" */
	taddr_t addr, old, end;
	uint64_t size;
	uint64_t old_size;         /* UINT64_MAX: not said */
	uint64_t count, each;      /* calloc's factors; 0, 0: none */
	uint64_t alignment;
	uint8_t header;            /* bytes before each block, where the format has them */
	bool is_free;              /* RECORD_BLOCK */
	enum import_verdict verdict;
	uint64_t figure_free, figure_used, threshold; /* UINT64_MAX: not said */
	int64_t delta;             /* to the threshold */
	const char *module;        /* glibc: the object's path … */
	unsigned nmodule;          /* … and its length; such strings have no zero */
	const char *symbol;        /* glibc: "symbol+0xoff", or without the 0x */
	unsigned nsymbol;
	const char *file, *function, *variable;
	unsigned nfile, nfunction, nvariable, line;
	uint32_t caps;             /* ESP-IDF: MALLOC_CAP_… */
	int cpu;                   /* −1: not said */
	uint64_t time;             /* ccount; 0: not said */
	/* Who called: addresses, innermost first (return addresses as the target has
	 * them, the Thumb bit included); or the words above. */
	unsigned npc;
	taddr_t pc[IMPORT_FRAMES]; /* last: what is before is cleared for each record */
};

enum import_line {
	LINE_OTHER,    /* nothing of the format: other text */
	LINE_RECORD,   /* *out is one */
	LINE_SILENT,   /* of the format, and nothing to count (a headline) */
	LINE_MORE,     /* the first line of a record of several */
	LINE_DAMAGED,  /* begins as a record does, and is none */
};

struct import_parser;

struct import_parser *import_parser_new(enum import_format format);
void import_parser_free(struct import_parser *);

/* `line`: n bytes, without its end (CR, LF); any bytes may be in it.  `before`, `behind`:
 * how many bytes of other text precede and follow what was understood, or is damaged
 * (LINE_OTHER: n and 0).  What is behind may hold the next record (a lost line end, lists):
 * it is to be parsed next, until there is nothing, or other text.  A record that an earlier
 * line began, or is about, may come out first; then `behind` is n, and before is 0. */
enum import_line import_parse(struct import_parser *, const char *line, size_t n,
			      struct import_record *out, size_t *before, size_t *behind);
/* What is left at the end of the log: a record of several lines.  LINE_RECORD or LINE_OTHER,
 * which it is when called again. */
enum import_line import_parse_end(struct import_parser *, struct import_record *out);

/* Which format these first bytes of a log are in: the one with most records.
 * IMPORT_AUTO: none, as yet. */
enum import_format import_recognise(const char *bytes, size_t n);

/* "mbed", …; NULL-terminated in the order of enum import_format. */
const char *import_format_name(enum import_format format);
/* IMPORT_FORMATS: no such name. */
enum import_format import_format_find(const char *name);

#endif
