/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens when: events, keys, signals, and a new picture every second. */
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/msg.h"
#include "top.h"

enum { KEY_ESC = 27, NAMING_MS = 50, STATUS_S = 5 };

struct top {
	const struct top_opts *o;
	struct client *client; /* NULL: nobody can be asked any more */
	struct report_opts report;
	struct report_names *names;
	struct top_screen screen;
	struct top_data data;
	int how;               /* as top_run() returns */
	bool quit;
	uint64_t next_ns;      /* the next sample */
	int status_left;       /* samples for which the status stays */
};

/* -- signals ------------------------------------------------------------------------- */

static volatile int stop; /* leave: whatever takes its time ends */
static volatile sig_atomic_t ending, resized, suspended, continued;

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT };

static void on_signal(int sig)
{
	switch (sig) {
	case SIGWINCH: resized = 1; break;
	case SIGTSTP:  suspended = 1; break;
	case SIGCONT:  continued = 1; break;
	case SIGINT:   stop = 1; break;
	default:
		ending = sig;
		stop = 1;
	}
}

struct before {
	struct sigaction action[ARRAY_SIZE(signals)];
	sigset_t mask;
};

/* Before ncurses, which has handlers of its own where there are none.  They come
 * while we wait, and at no other time.  What was ignored (nohup, a shell without job
 * control) stays so. */
static void signals_begin(struct before *b)
{
	const struct sigaction ours = { .sa_handler = on_signal }; /* no SA_RESTART: waits end */
	sigset_t set;

	stop = 0;
	ending = resized = suspended = continued = 0;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaddset(&set, signals[i]);
		sigaction(signals[i], NULL, &b->action[i]);
		if (b->action[i].sa_handler != SIG_IGN || signals[i] == SIGWINCH || signals[i] == SIGCONT)
			sigaction(signals[i], &ours, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, &b->mask);
}

static void signals_end(const struct before *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &b->action[i], NULL);
	sigprocmask(SIG_SETMASK, &b->mask, NULL);
}

/* Ctrl-Z: we stop as any program does, the terminal as it was. */
static void suspend_us(void)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };
	struct sigaction ours;
	sigset_t set, old;

	endwin();
	sigaction(SIGTSTP, &dfl, &ours);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	/* … and here we go on. */
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGTSTP, &ours, NULL);
	top_screen_again();
}

/* True: the picture is to be made anew. */
static bool mind_signals(struct top *t)
{
	bool any = resized || suspended || continued;

	if (stop) {
		t->quit = true;
		return false;
	}
	if (suspended) {
		suspended = 0;
		suspend_us();
	}
	if (resized || continued) {
		resized = continued = 0;
		top_screen_again();
	}
	return any;
}

/* -- the tracer ------------------------------------------------------------------------- */

static void say(struct top *t, const char *text)
{
	free(t->screen.status);
	t->screen.status = text ? xstrdup(text) : NULL;
	t->status_left = STATUS_S;
}

static void sample(struct top *t)
{
	uint64_t now = clock_ns();
	char *message = top_messages_last();

	top_sample(&t->data, t->o->heap, now);
	t->next_ns = now + NS_PER_S;
	if (message || --t->status_left < 0)
		say(t, message);
	free(message);
}

static void draw(struct top *t)
{
	top_draw(&t->screen, &t->data, t->o->heap, t->names);
}

/* At the end of tracing the picture stays, unless there is none. */
static void take_events(struct top *t)
{
	int r = client_take(t->client);

	if (r > 0)
		return;
	t->client = NULL;
	t->how = r ? -1 : 1;
	t->screen.ended = true;
	t->screen.paused = false;
	sample(t);
	if (r < 0 || !t->data.proc)
		t->quit = true;
	else
		draw(t);
}

/* While the answer is waited for signals may end the waiting. */
static void ask(struct top *t, enum request_kind kind, pid_t pid, const char *meanwhile)
{
	struct request q = { .kind = (uint8_t)kind, .pid = pid };
	const char *refused = t->client ? client_refused_control(t->client) : "tracing has ended";
	struct answer a = { 0 };
	sigset_t ours, set;
	int err;

	say(t, refused ? refused : meanwhile);
	draw(t);
	if (refused)
		return;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_UNBLOCK, &set, &ours);
	err = client_ask(t->client, &q, &a, &stop);
	sigprocmask(SIG_SETMASK, &ours, NULL);
	if (err == -EINTR) {
		t->quit = true;
		return;
	}
	if (err) {
		take_events(t);
		return;
	}
	say(t, !a.error ? NULL : a.text ? a.text : strerror(a.error));
	sample(t);
}

/* -- keys -------------------------------------------------------------------------------- */

static void open_help(struct top *t)
{
	top_page_open(&t->screen, xstrdup("keys"),
		"s, right       sort by the next column\n"
		"left           sort by the column before\n"
		"up, down       move (k, j; also page up and down, home, end)\n"
		"Enter          all of the stack that is selected\n"
		"l              look for leaks now\n"
		"m              set a mark, for --between of the report\n"
		"Tab            the next process\n"
		"space          hold the picture; again: go on\n"
		"h, ?           this\n"
		"q, Esc         back; from the list: leave, with a report\n"
		"\n"
		"BYTES          in use, of what was allocated there\n"
		"BLOCKS         in use\n"
		"BYTES/S        allocated in the last second\n"
		"CALLS/S        that allocated, in the last second\n"
		"FAILED         requests that were refused\n"
		"LOST           bytes that the last leak scan found no way to, or may have lost\n"
		"\n"
		"The graph is of the bytes in use, at most the last ten minutes.\n");
}

static void open_stack(struct top *t)
{
	const struct report_page page = { .to_file = true };
	struct report_opts opts = t->report;
	struct strbuf sb = STRBUF_INIT;

	if (t->screen.at >= t->data.rows.n)
		return;
	opts.long_form = true;
	opts.pid = t->data.pid;
	report_stack(t->o->heap, &opts, &page, t->data.rows.v[t->screen.at].is.stack, &sb);
	top_page_open(&t->screen, xstrdup("stack, as it is now"), sb.s ? sb.s : "");
	strbuf_release(&sb);
}

static void sort_by(struct top *t, int step)
{
	int key = (int)t->data.key, last = t->data.proc && t->data.proc->scan.done ? TOP_LOST : TOP_FAILED;

	key += step;
	t->data.key = (enum top_key)(key < 0 ? last : key > last ? 0 : key);
	top_sort(&t->data);
	t->screen.follows = false;
	t->screen.at = t->screen.first = 0;
}

/* Where a key leads from `at` in a list that ends with `last`. */
static size_t moved(int key, size_t at, size_t last, size_t page)
{
	switch (key) {
	case KEY_UP:
	case 'k':       return at - MIN(at, (size_t)1);
	case KEY_DOWN:
	case 'j':       return MIN(at + 1, last);
	case KEY_PPAGE: return at - MIN(at, page);
	case KEY_NPAGE: return MIN(at + page, last);
	case KEY_HOME:  return 0;
	case KEY_END:   return last;
	default:        return at;
	}
}

/* The selected row is followed where it goes, but for the first, which is whoever
 * that is. */
static void move_selection(struct top *t, int key)
{
	struct top_screen *s = &t->screen;
	size_t n = t->data.rows.n;

	if (!n)
		return;
	s->at = moved(key, s->at, n - 1, MAX(s->list_rows, (size_t)1));
	s->follows = s->at > 0;
	s->selected = t->data.rows.v[s->at].is.stack;
}

static void page_key(struct top *t, int key)
{
	struct top_screen *s = &t->screen;

	if (key == 'q' || key == KEY_ESC || key == '\r' || key == KEY_ENTER)
		top_page_close(s);
	else
		s->page_first = moved(key, s->page_first, s->page.n, MAX(s->list_rows, (size_t)1));
}

static void next_process(struct top *t)
{
	top_next_process(&t->data, t->o->heap);
	t->screen.follows = false;
	t->screen.at = t->screen.first = 0;
	sample(t);
}

static void list_key(struct top *t, int key)
{
	switch (key) {
	case 'q':
	case KEY_ESC:   t->quit = true; break;
	case 'h':
	case '?':       open_help(t); break;
	case 's':
	case KEY_RIGHT: sort_by(t, 1); break;
	case 'S':
	case KEY_LEFT:  sort_by(t, -1); break;
	case 'm':       ask(t, REQUEST_MARK, 0, "setting a mark ..."); break;
	case 'l':       ask(t, REQUEST_SCAN, t->data.pid, "looking for leaks ..."); break;
	case '\t':      next_process(t); break;
	case ' ':       t->screen.paused = !t->screen.paused && !t->screen.ended; break;
	case '\r':
	case KEY_ENTER: open_stack(t); break;
	default:        move_selection(t, key);
	}
}

static void take_keys(struct top *t)
{
	int key;

	while (!t->quit && (key = top_screen_key()) >= 0) {
		say(t, NULL);
		if (t->screen.page_title)
			page_key(t, key);
		else
			list_key(t, key);
	}
	if (!t->quit)
		draw(t);
}

/* -- all of it --------------------------------------------------------------------------- */

/* Names come after the picture: to look one up may mean to read the debug information of
 * a large library.  Keys come first. */
static void name_rows(struct top *t)
{
	uint64_t until = clock_ns() + NAMING_MS * NS_PER_MS;

	do {
		report_names_find(t->names, t->screen.unnamed);
		t->screen.any_unnamed = false;
		for (size_t i = 0; i < t->screen.list_rows && !t->screen.any_unnamed; i++) {
			size_t at = t->screen.first + i;

			if (at >= t->data.rows.n || report_names_known(t->names, t->data.rows.v[at].is.stack))
				continue;
			t->screen.any_unnamed = true;
			t->screen.unnamed = t->data.rows.v[at].is.stack;
		}
	} while (t->screen.any_unnamed && clock_ns() < until);
	draw(t);
}

/* How long nothing is to be done.  NULL: until something happens. */
static const struct timespec *pause_of(const struct top *t, struct timespec *ts)
{
	uint64_t now = clock_ns();

	if (!t->client && !t->screen.any_unnamed)
		return NULL;
	*ts = clock_timespec(t->screen.any_unnamed || now >= t->next_ns ? 0 : t->next_ns - now);
	return ts;
}

static void refresh_when_due(struct top *t)
{
	if (!t->client || clock_ns() < t->next_ns)
		return;
	if (t->screen.paused) {
		t->next_ns = clock_ns() + NS_PER_S;
		return;
	}
	sample(t);
	draw(t);
}

static void wait_once(struct top *t, const sigset_t *mask)
{
	struct pollfd p[2] = { { top_screen_fd(), POLLIN, 0 }, { -1, POLLIN, 0 } };
	struct timespec ts;

	if (t->client)
		p[1].fd = client_fd(t->client);
	if (ppoll(p, 2, pause_of(t, &ts), mask) < 0)
		p[0].revents = p[1].revents = 0;
	if (mind_signals(t))
		draw(t);
	if (t->client && !t->quit && (p[1].revents || clock_ns() >= t->next_ns))
		take_events(t);
	if (p[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
		ending = SIGHUP;
		t->quit = true;
	}
	if (!t->quit && p[0].revents & POLLIN)
		take_keys(t);
	else if (!t->quit && t->screen.any_unnamed && !t->screen.page_title)
		name_rows(t);
	if (!t->quit)
		refresh_when_due(t);
}

static void leave_terminal(void)
{
	top_screen_end();
	top_messages_tell(true);
}

int top_run(const struct top_opts *o, int *sig)
{
	struct top t = { .o = o, .client = o->client, .report = *o->report };
	struct before before;

	t.report.interrupted = &stop;
	signals_begin(&before);
	if (top_screen_begin(&t.screen)) {
		signals_end(&before);
		return -1;
	}
	msg_set_cleanup(leave_terminal);
	t.names = report_names_new(o->heap, &t.report);
	sample(&t);
	draw(&t);
	while (!t.quit)
		wait_once(&t, &before.mask);
	top_screen_end();
	msg_set_cleanup(NULL);
	signals_end(&before);
	report_names_free(t.names);
	top_data_release(&t.data);
	top_screen_release(&t.screen);
	*sig = ending;
	return t.how;
}
