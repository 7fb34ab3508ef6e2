/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who called, as records tell it, made into the stacks, modules and places that events
 * name by numbers.  Each is told before its first use. */
#ifndef MTRACE_SRC_IMPORT_CALLERS_H
#define MTRACE_SRC_IMPORT_CALLERS_H

#include "import/record.h"
#include "model/event.h"

/* Who tells: whatever is told has this time. */
struct teller {
	struct event_sink *sink;
	uint64_t time_ns;
};

int tell(struct teller *t, struct event *ev);

struct callers;

/* `elf`: of the program, or NULL.  NULL after a message. */
struct callers *callers_new(struct teller *t, const char *elf);
void callers_free(struct callers *);
/* Bytes of a pointer, as the ELF file that a record (or --elf) names has them; 0: none. */
uint8_t callers_word(struct callers *, const struct import_record *r);
/* The whole path of --elf; NULL. */
const char *callers_program(const struct callers *);
/* Once the process is told. */
void callers_begin(struct callers *);
/* The record's operation. */
uint16_t callers_probe(struct callers *, const struct import_record *r);
uint32_t callers_stack(struct callers *, const struct import_record *r, uint16_t probe);

#endif
