/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apart, and with term.h last: that makes macros of words like "lines" and "columns". */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/msg.h"
#include "ui/top.h"

#include <curses.h>
#include <term.h>

int top_check(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC), err = 0;

	if (fd < 0)
		return msg_error("--top needs a terminal");
	if (setupterm(NULL, fd, &err) != OK)
		err = msg_error("--top: nothing is known of a terminal of type '%s'; set TERM",
				getenv("TERM") ? getenv("TERM") : "");
	else
		err = tcgetpgrp(fd) == getpgrp() ? 0 : msg_error("--top needs the terminal: not in the background");
	if (cur_term)
		del_curterm(cur_term);
	close(fd);
	return err;
}
