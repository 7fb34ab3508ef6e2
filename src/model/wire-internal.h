/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of bodies, written and read by the same functions. */
#ifndef MTRACE_MODEL_WIRE_INTERNAL_H
#define MTRACE_MODEL_WIRE_INTERNAL_H

#include "model/wire.h"

/* A variable-length integer: seven bits a byte, the lowest first, the top bit
 * says that more follow (DWARF 5, 7.6: unsigned LEB128); at most ten bytes. */
enum { VARINT_MAX = 10 };

static inline uint8_t *varint_put(uint8_t *at, uint64_t v)
{
	while (v >= 0x80) {
		*at++ = (uint8_t)v | 0x80;
		v >>= 7;
	}
	*at++ = (uint8_t)v;
	return at;
}

/* NULL: it does not end before `end`, or is longer than 64 bits. */
static inline const uint8_t *varint_get(const uint8_t *at, const uint8_t *end, uint64_t *v)
{
	uint64_t sum = 0;

	for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
		uint8_t byte = *at++;

		if (shift == 63 && byte > 1)
			return NULL;
		sum |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*v = sum;
			return at;
		}
	}
	return NULL;
}

/* Differences of either sign as small numbers: 0 −1 1 −2 2 … */
static inline uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static inline uint64_t unzigzag(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

/* A body in the making (out), or being read (out NULL). */
struct fields {
	struct strbuf *out;
	const uint8_t *at, *end;
	bool bad; /* what was read does not fit */
};

void field_u64(struct fields *f, uint64_t *v);
/* Read: more than `max` is bad, and 0. */
void field_max(struct fields *f, uint64_t *v, uint64_t max);
/* With its terminating NUL, none inside; NULL has a length of 0. */
void field_string(struct fields *f, const char **s);
void field_bytes(struct fields *f, const uint8_t **p, uint32_t *n, uint32_t max);

/* Any member of an unsigned type, or of an enum. */
#define FIELD_MAX(f, member, max)                                     \
	do {                                                          \
		uint64_t field_ = (uint64_t)(member);                 \
		field_max((f), &field_, (max));                       \
		(member) = (__typeof__(member))field_;                \
	} while (0)
#define FIELD_U8(f, member)   FIELD_MAX(f, member, UINT8_MAX)
#define FIELD_U16(f, member)  FIELD_MAX(f, member, UINT16_MAX)
#define FIELD_U32(f, member)  FIELD_MAX(f, member, UINT32_MAX)
#define FIELD_BOOL(f, member) FIELD_MAX(f, member, 1)
#define FIELD_PID(f, member)  FIELD_MAX(f, member, INT32_MAX)
#define FIELD_U64(f, member)  field_u64((f), &(member))

struct wire_decoder;

/* The body of a record of one event, of ev->type, without its time. */
void wire_fields(struct fields *f, struct wire_decoder *d, struct event *ev);

/* Is it told in EVENTS records? */
bool wire_batched(enum event_type type);
void wire_batch_add(struct wire_encoder *e, const struct event *ev);
int wire_batch_read(struct wire_decoder *d, const struct wire_record *r,
		    int (*fn)(void *arg, const struct event *ev), void *arg);

#endif
