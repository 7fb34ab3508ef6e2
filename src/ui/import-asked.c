/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "import-asked.h"

/* One answer. */
struct reply {
	struct import_asked *asked;
	const struct request *q;
	bool again;
	struct strbuf text;
};

static int refuse(struct reply *r, int err, const char *why)
{
	strbuf_adds(&r->text, why);
	return -err;
}

static int info(struct reply *r)
{
	strbuf_addf(&r->text, "%s %s reads %s: %llu records, %zu open blocks\n", msg_program(), PACKAGE_VERSION,
		    r->asked->name, (unsigned long long)import_books_records(r->asked->books),
		    import_books_open(r->asked->books));
	return 0;
}

static int mark(struct reply *r)
{
	return import_books_mark(r->asked->books) ?
		       refuse(r, ERANGE, "no more marks can be told apart") : 0;
}

static int reset(struct reply *r)
{
	import_books_forget(r->asked->books);
	return 0;
}

/* As long as no reader is behind. */
static int blocks(struct reply *r)
{
	bool more = true, hold = false;

	r->asked->at = r->again ? r->asked->at : 0;
	while (more && !hold)
		more = import_books_blocks(r->asked->books, &r->asked->at, &hold);
	return more ? -EAGAIN : 0;
}

static int memory(struct reply *r)
{
	import_books_memory(r->asked->books);
	return 0;
}

static int end(struct reply *r)
{
	r->asked->ended = true;
	return 0;
}

static int answer(struct reply *r)
{
	switch ((enum request_kind)r->q->kind) {
	case REQUEST_INFO:   return info(r);
	case REQUEST_MARK:   return mark(r);
	case REQUEST_RESET:  return reset(r);
	case REQUEST_BLOCKS: return blocks(r);
	case REQUEST_HEAPS:  return memory(r);
	case REQUEST_DETACH: return end(r);
	case REQUEST_START:  return 0; /* it is being read */
	case REQUEST_SCAN:
	case REQUEST_WHY:
	case REQUEST_READ:
		return refuse(r, EOPNOTSUPP, "what is read is a heap log: the target's memory is not here");
	default:
		return refuse(r, EOPNOTSUPP, "what is read is a heap log: there is no process to do that to");
	}
}

bool import_serve(void *asked, const struct request *q, bool again, request_done *done, void *arg)
{
	struct reply r = { asked, q, again, STRBUF_INIT };
	int err = answer(&r);

	if (err != -EAGAIN)
		done(arg, &(struct answer){ .id = q->id, .error = -err, .text = r.text.n ? r.text.s : NULL });
	strbuf_release(&r.text);
	return err == -EAGAIN;
}
