/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client for tests of the server, of src/model/wire alone.
 *
 *   wire-client [-c] [-r] [-t TOKEN] ADDRESS   -c: it wants control, and gives rows; -r: that alone
 *   wire-client -g KIND ADDRESS             says what no client says (garbage)
 *
 * ADDRESS is a path, or HOST:PORT.  Lines of the standard input are obeyed in order:
 *
 *   ask KIND PID A B    sends a request and waits for its answer
 *   rows A HEX          likewise REQUEST_ROWS, with these data
 *   pause               reads nothing until the next line is there
 *   quit                closes at once
 *
 * At their end it follows until the server says BYE.  What is said comes on the
 * standard output, a line each; at the end how many events of each type there
 * were, and the figures of each process. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/ledger.h"
#include "model/wire.h"

static uint64_t counts[EV_TYPES];
static struct ledger *ledger;
static struct wire_decoder decoder;
static struct strbuf in;
static bool over, answered;
static int sock;

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static int connect_to(const char *address)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	char host[64], *port;
	int fd;

	if (strchr("/.", *address)) {
		strncpy(un.sun_path, address, sizeof un.sun_path - 1);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		return connect(fd, (struct sockaddr *)&un, sizeof un) ? -1 : fd;
	}
	snprintf(host, sizeof host, "%s", address);
	port = strrchr(host, ':');
	*port++ = '\0';
	if (getaddrinfo(host, port, &hints, &ai))
		return -1;
	fd = socket(ai->ai_family, SOCK_STREAM, 0);
	if (connect(fd, ai->ai_addr, ai->ai_addrlen))
		fd = -1;
	freeaddrinfo(ai);
	return fd;
}

static void send_all(const struct strbuf *sb)
{
	if (send(sock, sb->s, sb->n, MSG_NOSIGNAL) != (ssize_t)sb->n)
		say("cannot send: %s", strerror(errno));
}

static void say_wanted(const struct event *ev)
{
	char id[2 * 64 + 1] = "";

	for (unsigned i = 0; i < ev->u.rows.build_id_len && i < 64; i++)
		sprintf(id + 2 * i, "%02x", ev->u.rows.build_id[i]);
	say("wanted %s %s", id, ev->u.rows.path);
}

static int take_event(void *arg, const struct event *ev)
{
	(void)arg;
	counts[ev->type]++;
	ledger_take(ledger, ev);
	if (ev->type == EV_BLOCK)
		say("block %#llx %llu", (unsigned long long)ev->u.alloc.addr,
		    (unsigned long long)ev->u.alloc.size);
	if (ev->type == EV_ROWS_WANTED)
		say_wanted(ev);
	if (ev->type == EV_HEAP)
		say("heap %u %#llx %llu", ev->u.heap.kind, (unsigned long long)ev->u.heap.start,
		    (unsigned long long)ev->u.heap.size);
	if (ev->type == EV_WHY)
		say("why found=%u size=%llu", ev->u.asked.found, (unsigned long long)ev->u.asked.size);
	return 0;
}

static void show_answer(const struct wire_record *r)
{
	struct answer a;

	if (wire_decode_answer(r, &a)) {
		say("a damaged answer");
		return;
	}
	say("answer %u %s%s%s", a.id, a.error ? strerror(a.error) : "ok", a.text ? ": " : "",
	    a.text ? a.text : "");
	if (a.data)
		say("data %u %.*s", a.ndata, (int)a.ndata, (const char *)a.data);
	answered = true;
}

static void take_record(const struct wire_record *r)
{
	struct wire_hello h;
	const char *text;

	switch (r->type) {
	case WIRE_HELLO:
		if (wire_decode_hello(&decoder, r, &h))
			say("a damaged hello");
		else
			say("hello token=%d words=%u", h.token, h.nwords);
		break;
	case WIRE_READY:
	case WIRE_REFUSED:
		wire_decode_text(r, &text);
		say("%s%s%s", r->type == WIRE_READY ? "ready" : "refused", text ? ": " : "", text ? text : "");
		break;
	case WIRE_STATE: /* what was told before is forgotten */
		ledger_free(ledger);
		ledger = ledger_new();
		say("state");
		break;
	case WIRE_ANSWER:
		show_answer(r);
		break;
	case WIRE_BYE:
		say("bye");
		over = true;
		break;
	default:
		if (wire_decode(&decoder, r, take_event, NULL))
			say("a damaged record");
	}
}

static void take_bytes(void)
{
	static char bytes[65536];
	ssize_t n = recv(sock, bytes, sizeof bytes, 0), used;
	struct wire_record r;
	size_t at = 0;

	if (n <= 0) {
		say(n ? "lost" : "closed");
		over = true;
		return;
	}
	strbuf_add(&in, bytes, (size_t)n);
	while (!over && (used = wire_next(in.s + at, in.n - at, &r)) > 0) {
		take_record(&r);
		at += (size_t)used;
	}
	memmove(in.s, in.s + at, in.n - at);
	in.n -= at;
}

/* A line, without the buffer of stdio, which poll(2) does not see. */
static bool read_line(char *line, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && read(0, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	return n > 0;
}

static void send_request(struct request *q)
{
	static uint32_t id;
	struct strbuf sb = STRBUF_INIT;
	struct wire_encoder e = WIRE_ENCODER_INIT(&sb);

	q->id = ++id;
	wire_encode_request(&e, q);
	answered = false;
	send_all(&sb);
	strbuf_release(&sb);
	while (!answered && !over)
		take_bytes();
}

static void ask(const char *line)
{
	struct request q = { 0 };
	unsigned kind = 0;
	long long a = 0, b = 0;
	int pid = 0;

	sscanf(line, "ask %u %d %lli %lli", &kind, &pid, &a, &b);
	q.kind = (uint8_t)kind;
	q.pid = pid;
	q.a = (uint64_t)a;
	q.b = (uint64_t)b;
	send_request(&q);
}

static void give_rows(const char *line)
{
	struct request q = { .kind = REQUEST_ROWS };
	uint8_t data[512];
	unsigned a = 0, byte;
	int at = 0, n;

	sscanf(line, "rows %u %n", &a, &at);
	for (; q.ndata < sizeof data && sscanf(line + at, "%2x%n", &byte, &n) == 1; at += n)
		data[q.ndata++] = (uint8_t)byte;
	q.a = a;
	q.data = data;
	send_request(&q);
}

static void log_in(const char *token, bool control, bool rows)
{
	struct strbuf sb = STRBUF_INIT;
	struct wire_encoder e = WIRE_ENCODER_INIT(&sb);

	wire_encode_login(&e, &(struct wire_login){ token, "wire-client", control, control || rows });
	send_all(&sb);
	strbuf_release(&sb);
}

/* Obeys lines as they come; false: there are no more. */
static bool obey(void)
{
	char line[1024];

	if (!read_line(line, sizeof line))
		return false;
	if (!strncmp(line, "ask ", 4))
		ask(line);
	else if (!strncmp(line, "rows ", 5))
		give_rows(line);
	else if (!strcmp(line, "quit"))
		over = true;
	else if (!strcmp(line, "pause"))
		return obey();
	return true;
}

static void converse(void)
{
	bool more = true;

	while (!over) {
		struct pollfd p[] = { { sock, POLLIN, 0 }, { more ? 0 : -1, POLLIN, 0 } };

		poll(p, 2, -1);
		if (p[0].revents)
			take_bytes();
		if (!over && p[1].revents)
			more = obey();
	}
}

/* What it says is cut off sooner or later: waits for that. */
static void talk_garbage(const char *kind)
{
	struct strbuf sb = STRBUF_INIT;
	struct wire_encoder e = WIRE_ENCODER_INIT(&sb);

	if (!strcmp(kind, "random")) {
		for (unsigned i = 0, v = 1; i < 20000; i++, v = v * 1664525 + 1013904223)
			strbuf_addc(&sb, (char)(v >> 24));
	} else if (!strcmp(kind, "huge")) {
		strbuf_add(&sb, "\377\377\377\377\5\0\0\0\0\0\0\0\0\0\0\0", 16);
	} else if (!strcmp(kind, "long")) {
		strbuf_add(&sb, "\0\20\1\0\5\0\0\0\0\0\0\0\0\0\0\0", 16);
		for (unsigned i = 0; i < 5000; i++)
			strbuf_addc(&sb, 'x');
	} else if (!strcmp(kind, "event")) {
		wire_encode(&e, &(struct event){ .type = EV_TASK });
	} else if (!strcmp(kind, "early")) {
		wire_encode_request(&e, &(struct request){ .id = 1, .kind = REQUEST_KILL, .pid = 1 });
	} else if (!strcmp(kind, "twice")) {
		wire_encode_login(&e, &(struct wire_login){ 0 });
		wire_encode_login(&e, &(struct wire_login){ 0 });
	} else { /* half */
		wire_encode_login(&e, &(struct wire_login){ 0 });
		sb.n -= 1;
	}
	send_all(&sb);
	strbuf_release(&sb);
	if (!strcmp(kind, "half"))
		shutdown(sock, SHUT_WR);
	/* "trickle" is half a login that never comes to its end. */
	while (!over)
		take_bytes();
}

static void show_totals(void)
{
	for (size_t i = 0; i < ledger_nprocs(ledger); i++) {
		const struct heap_proc *p = ledger_proc_at(ledger, i);

		say("process %d allocs=%llu frees=%llu open=%llu bytes=%llu definite=%llu ended=%d", p->pid,
		    (unsigned long long)p->total.allocs, (unsigned long long)p->total.frees,
		    (unsigned long long)p->total.open_blocks, (unsigned long long)p->total.open_bytes,
		    (unsigned long long)p->scan.kind_bytes[LEAK_DEFINITE], p->ended);
	}
	for (unsigned i = 0; i < EV_TYPES; i++)
		if (counts[i])
			say("count %s %llu", event_type_name((enum event_type)i),
			    (unsigned long long)counts[i]);
}

int main(int argc, char **argv)
{
	const char *token = NULL, *garbage = NULL;
	bool control = false, rows = false;
	int opt;

	while ((opt = getopt(argc, argv, "crt:g:")) != -1) {
		if (opt == 'c')
			control = true;
		else if (opt == 'r')
			rows = true;
		else if (opt == 't')
			token = optarg;
		else
			garbage = optarg;
	}
	sock = optind < argc ? connect_to(argv[optind]) : -1;
	if (sock < 0) {
		say("cannot connect");
		return 2;
	}
	ledger = ledger_new();
	if (garbage) {
		talk_garbage(garbage);
	} else {
		log_in(token, control, rows);
		converse();
	}
	close(sock);
	show_totals();
	ledger_free(ledger);
	wire_decoder_release(&decoder);
	strbuf_release(&in);
	return 0;
}
