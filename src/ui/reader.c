/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/xalloc.h"
#include "reader.h"

enum { READ = 1 << 18 };

/* -- bytes -------------------------------------------------------------------------- */

static void make_room(struct reader *r)
{
	if (r->from) {
		memmove(r->buffer, r->buffer + r->from, r->to - r->from);
		r->to -= r->from;
		r->from = 0;
	}
	if (r->cap - r->to < READ) {
		r->cap = r->to + READ;
		r->buffer = xrealloc(r->buffer, r->cap, 1);
	}
}

int reader_fill(struct reader *r)
{
	ssize_t n;

	make_room(r);
	do
		n = read(r->fd, r->buffer + r->to, r->cap - r->to);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	r->to += (size_t)n;
	return n > 0;
}

int reader_next(struct reader *r, struct wire_record *rec)
{
	ssize_t n = wire_next(r->buffer + r->from, r->to - r->from, rec);

	if (n <= 0)
		return (int)n;
	r->from += (size_t)n;
	r->at += (uint64_t)n;
	return 1;
}

size_t reader_left(const struct reader *r)
{
	return r->to - r->from;
}

/* -- records ------------------------------------------------------------------------- */

static int tell(void *arg, const struct event *ev)
{
	struct reader *r = arg;

	if (ev->type == EV_IMAGE)
		images_take(&r->images, ev);
	if (ev->type == EV_ROWS_WANTED && r->wanted)
		r->wanted(r->wanted_arg, ev);
	r->sink->emit(r->sink, ev);
	return 0;
}

#ifdef HAVE_ZSTD
static int take_records(struct reader *r, const uint8_t *bytes, size_t n)
{
	struct wire_record rec;
	int err = 0;

	while (n && !err) {
		ssize_t used = wire_next(bytes, n, &rec);

		if (used <= 0 || rec.type == WIRE_ZSTD)
			return -EBADMSG;
		err = reader_take(r, &rec);
		bytes += used;
		n -= (size_t)used;
	}
	return err;
}

/* What a frame says of its size is not believed beyond what one may have. */
static int take_frame(struct reader *r, const struct wire_record *rec)
{
	size_t n;

	if (!r->zstd)
		r->zstd = ZSTD_createDCtx();
	if (!r->unpacked)
		r->unpacked = xmalloc(WIRE_MAX_BODY);
	n = ZSTD_decompressDCtx(r->zstd, r->unpacked, WIRE_MAX_BODY, rec->body, rec->len);
	return ZSTD_isError(n) ? -EBADMSG : take_records(r, r->unpacked, n);
}
#else
static int take_frame(struct reader *r, const struct wire_record *rec)
{
	(void)r;
	(void)rec;
	return -ENOSYS;
}
#endif

int reader_take(struct reader *r, const struct wire_record *rec)
{
	switch (rec->type) {
	case WIRE_ZSTD:
		return take_frame(r, rec);
	case WIRE_BYE:
		r->ended = true;
		return 0;
	case WIRE_STATE:
		if (r->restart)
			r->restart(r->restart_arg);
		return 0;
	default:
		return wire_decode(&r->decoder, rec, tell, r);
	}
}

void reader_release(struct reader *r)
{
	wire_decoder_release(&r->decoder);
	images_release(&r->images);
#ifdef HAVE_ZSTD
	ZSTD_freeDCtx(r->zstd);
#endif
	free(r->unpacked);
	free(r->buffer);
}
