/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "serve/address.h"
#include "serve/token.h"
#include "ui/follow.h"

enum { TAKE_S = 5 };

static volatile int interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static void forget(void *arg)
{
	const struct follow_opts *o = arg;

	heap_reset(o->heap);
	if (o->blocks)
		blocks_forget(o->blocks);
	if (o->heaps)
		heaps_forget(o->heaps);
}

struct client *follow_connect(const struct follow_opts *o)
{
	struct client_opts co = { .control = o->control, .files = o->files, .heap = o->heap,
				  .self = o->self, .restart = forget, .arg = (void *)o,
				  .sink = o->sink ? o->sink : heap_sink(o->heap) };
	char *token = o->token_file ? token_read(o->token_file) : NULL, *peer;
	struct client *c = NULL;
	struct address a;

	if (o->token_file && !token)
		return NULL;
	if (!address_parse(o->remote, o->port, &a)) {
		signal(SIGPIPE, SIG_IGN);
		co.fd = address_connect(&a);
		co.peer = peer = address_for_client(&a);
		co.token = token;
		c = co.fd < 0 ? NULL : client_open(&co);
		free(peer);
		address_release(&a);
	}
	free(token);
	return c;
}

int follow(struct client *c)
{
	struct sigaction act = { .sa_handler = on_interrupt }, before;
	struct timespec patience = { TAKE_S, 0 };
	sigset_t with, without;
	int result = 1;

	/* It comes while we wait, or not at all: not between the look and the wait. */
	sigemptyset(&with);
	sigaddset(&with, SIGINT);
	sigprocmask(SIG_BLOCK, &with, &without);
	sigdelset(&without, SIGINT);
	sigaction(SIGINT, &act, &before);
	while (result == 1 && !interrupted) {
		struct pollfd p = { client_fd(c), POLLIN, 0 };

		ppoll(&p, 1, &patience, &without);
		result = client_take(c);
	}
	sigaction(SIGINT, &before, NULL);
	sigprocmask(SIG_SETMASK, &without, NULL);
	return result < 0 ? -1 : !result;
}

static int ask(struct client *c, enum request_kind kind, const char *what)
{
	struct request q = { .kind = (uint8_t)kind };
	struct answer a;
	int err = client_ask(c, &q, &a, NULL);

	if (err)
		return -1;
	if (a.error)
		msg_warn("no %s: %s", what, a.text ? a.text : strerror(a.error));
	return a.error ? -1 : 0;
}

int follow_scan(struct client *c)
{
	return ask(c, REQUEST_SCAN, "leak scan");
}

int follow_blocks(struct client *c, struct blocks *blocks)
{
	blocks_begin(blocks, 0);
	if (ask(c, REQUEST_BLOCKS, "list of blocks"))
		return -1;
	blocks_end(blocks, 0);
	return 0;
}

int follow_heaps(struct client *c, struct blocks *blocks)
{
	return follow_blocks(c, blocks) ? -1 : ask(c, REQUEST_HEAPS, "heap map");
}
