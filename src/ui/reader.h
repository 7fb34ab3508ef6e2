/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records from a descriptor, and their events to a sink.  Memory is bounded by the
 * longest record, not by the stream. */
#ifndef MTRACE_UI_READER_H
#define MTRACE_UI_READER_H

#include "model/wire.h"
#include "ui/images.h"

struct reader {
	int fd;                /* the owner's */
	struct event_sink *sink;
	uint64_t at;           /* bytes of whole records that were taken */
	bool ended;            /* WIRE_BYE was there */
	void (*restart)(void *arg); /* the state comes anew: what there is, is to be
				  forgotten.  May be NULL */
	void *restart_arg;
	void (*wanted)(void *arg, const struct event *ev); /* told EV_ROWS_WANTED.  May be
				  NULL */
	void *wanted_arg;
	/* the rest is the reader's own */
	struct wire_decoder decoder;
	uint8_t *buffer;
	size_t cap, from, to;  /* what is there and not decoded: buffer[from…to) */
	struct images images;
	void *zstd;
	uint8_t *unpacked;
};

/* Reads once: 1; 0 at the end; -errno. */
int reader_fill(struct reader *r);
/* The next record, good until reader_fill(): 1; 0: more bytes are needed; -EBADMSG:
 * it is none. */
int reader_next(struct reader *r, struct wire_record *rec);
/* Bytes that are there and make no record yet. */
size_t reader_left(const struct reader *r);
/* Tells the sink its events; records that have none are passed over.  0, -EBADMSG,
 * or -ENOSYS: it is compressed, and we have no zstd. */
int reader_take(struct reader *r, const struct wire_record *rec);
void reader_release(struct reader *r);

#endif
