/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/msg.h"
#include "trace/marks.h"
#include "trace/recorder.h"

/* Of --mark-every; 0: no. */
static uint64_t every_ns, next_ns;

/* A signal at that time, and again and again, since one that comes right before
 * wait4() sleeps is noticed only at the next. */
static void set_timer(const struct session *s)
{
	struct itimerspec at = { .it_interval.tv_nsec = 20000000 };

	at.it_value = clock_timespec(next_ns);
	timer_settime(s->mark_timer, TIMER_ABSTIME, &at, NULL);
}

void marks_begin(struct session *s)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };

	if (!s->opts->mark_every_ns)
		return;
	if (timer_create(CLOCK_MONOTONIC, &ev, &s->mark_timer))
		die("timer_create: %s", strerror(errno));
	next_ns = clock_ns() + s->opts->mark_every_ns;
	every_ns = s->opts->mark_every_ns;
	set_timer(s);
}

bool marks_due(void)
{
	return every_ns && clock_ns() >= next_ns;
}

void marks_set(struct session *s, bool asked)
{
	if (marks_due()) {
		/* By the clock, unless we are too late for that. */
		next_ns = MAX(next_ns + every_ns, clock_ns());
		set_timer(s);
	}
	if (s->mark == OPENSET_MAX_MARK) {
		if (!s->told_marks)
			msg_warn("no more than %u marks can be told apart", s->mark);
		s->told_marks = true;
		return;
	}
	s->mark++;
	record_mark(s);
	if (asked)
		msg_info("mark %u", s->mark);
	else
		msg_verbose("mark %u", s->mark);
}

void marks_end(struct session *s)
{
	if (every_ns)
		timer_delete(s->mark_timer);
	every_ns = 0;
}
