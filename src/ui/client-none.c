/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where there is no client, nothing can be asked. */
#include <errno.h>

#include "base/msg.h"
#include "ui/client.h"

struct client *client_open(const struct client_opts *o)
{
	msg_error("%s: this version is no client", o->peer);
	return NULL;
}

const struct wire_hello *client_hello(const struct client *c)
{
	(void)c;
	return NULL;
}

const char *client_refused_control(const struct client *c)
{
	(void)c;
	return "this version is no client";
}

int client_fd(const struct client *c)
{
	(void)c;
	return -1;
}

int client_take(struct client *c)
{
	(void)c;
	return -1;
}

int client_ask(struct client *c, struct request *q, struct answer *a, volatile const int *stop)
{
	(void)c;
	(void)q;
	(void)a;
	(void)stop;
	return -1;
}

void client_close(struct client *c)
{
	(void)c;
}
