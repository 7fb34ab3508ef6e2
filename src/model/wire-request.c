/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client and a server say to each other, besides events. */
#include <errno.h>

#include "wire-internal.h"

static void login_fields(struct fields *f, struct wire_login *l)
{
	field_string(f, &l->token);
	field_string(f, &l->tool);
	FIELD_BOOL(f, l->control);
	FIELD_BOOL(f, l->rows);
}

static void request_fields(struct fields *f, struct request *q)
{
	FIELD_U32(f, q->id);
	FIELD_U8(f, q->kind);
	FIELD_PID(f, q->pid);
	FIELD_U64(f, q->a);
	FIELD_U64(f, q->b);
	field_bytes(f, &q->data, &q->ndata, REQUEST_DATA_MAX);
}

static void answer_fields(struct fields *f, struct answer *a)
{
	FIELD_U32(f, a->id);
	FIELD_MAX(f, a->error, INT32_MAX);
	field_string(f, &a->text);
	field_bytes(f, &a->data, &a->ndata, REQUEST_READ_MAX);
}

void wire_encode_login(struct wire_encoder *e, const struct wire_login *l)
{
	struct strbuf body = STRBUF_INIT;
	struct wire_login copy = *l;

	login_fields(&(struct fields){ .out = &body }, &copy);
	wire_encode_record(e, WIRE_LOGIN, body.s, body.n);
	strbuf_release(&body);
}

void wire_encode_request(struct wire_encoder *e, const struct request *q)
{
	struct strbuf body = STRBUF_INIT;
	struct request copy = *q;

	request_fields(&(struct fields){ .out = &body }, &copy);
	wire_encode_record(e, WIRE_REQUEST, body.s, body.n);
	strbuf_release(&body);
}

void wire_encode_answer(struct wire_encoder *e, const struct answer *a)
{
	struct strbuf body = STRBUF_INIT;
	struct answer copy = *a;

	answer_fields(&(struct fields){ .out = &body }, &copy);
	wire_encode_record(e, WIRE_ANSWER, body.s, body.n);
	strbuf_release(&body);
}

void wire_encode_text(struct wire_encoder *e, enum wire_type type, const char *text)
{
	struct strbuf body = STRBUF_INIT;

	field_string(&(struct fields){ .out = &body }, &text);
	wire_encode_record(e, type, body.s, body.n);
	strbuf_release(&body);
}

static struct fields reading(const struct wire_record *r)
{
	return (struct fields){ .at = r->body, .end = r->body + r->len };
}

int wire_decode_login(const struct wire_record *r, struct wire_login *l)
{
	struct fields f = reading(r);

	*l = (struct wire_login){ 0 };
	login_fields(&f, l);
	return f.bad ? -EBADMSG : 0;
}

int wire_decode_request(const struct wire_record *r, struct request *q)
{
	struct fields f = reading(r);

	*q = (struct request){ 0 };
	request_fields(&f, q);
	return f.bad ? -EBADMSG : 0;
}

int wire_decode_answer(const struct wire_record *r, struct answer *a)
{
	struct fields f = reading(r);

	*a = (struct answer){ 0 };
	answer_fields(&f, a);
	return f.bad ? -EBADMSG : 0;
}

int wire_decode_text(const struct wire_record *r, const char **text)
{
	struct fields f = reading(r);

	*text = NULL;
	field_string(&f, text);
	return f.bad ? -EBADMSG : 0;
}
