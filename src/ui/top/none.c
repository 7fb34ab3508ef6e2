/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of the others where there is no ncurses. */
#include "base/msg.h"
#include "ui/top.h"

int top_check(void)
{
	return msg_error("this %s was built without ncurses, which --top needs", msg_program());
}

int top_messages_begin(void)
{
	return 0;
}

void top_messages_tell(bool end)
{
	(void)end;
}

int top_run(const struct top_opts *o, int *sig)
{
	(void)o;
	*sig = 0;
	return -1;
}
