/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/strbuf.h"
#include "report/threshold.h"

#define MARGIN 16 /* a sixteenth */

const char *threshold_action_name(size_t i)
{
	static const char *const names[] = {
		[THRESHOLD_WARN] = "warn", [THRESHOLD_DUMP] = "dump",
		[THRESHOLD_STOP] = "stop", [THRESHOLD_DETACH] = "detach",
		[THRESHOLD_KILL] = "kill", [THRESHOLD_MARK] = "mark",
		[THRESHOLD_EXEC] = "exec:",
	};

	return i < ARRAY_SIZE(names) ? names[i] : NULL;
}

static int ascending(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

void thresholds_sort(struct thresholds *t)
{
	size_t n = 0;

	if (t->v.n)
		qsort(t->v.v, t->v.n, sizeof *t->v.v, ascending);
	for (size_t i = 0; i < t->v.n; i++)
		if (!n || t->v.v[i] != t->v.v[n - 1])
			t->v.v[n++] = t->v.v[i];
	t->v.n = n;
}

uint64_t threshold_rearm(uint64_t threshold)
{
	uint64_t margin = MAX(threshold / MARGIN, (uint64_t)1);

	return threshold - MIN(margin, threshold);
}

static void set_bounds(struct threshold_watch *w, const struct thresholds *t)
{
	w->up = w->passed < t->v.n ? t->v.v[w->passed] : UINT64_MAX;
	w->down = w->passed ? threshold_rearm(t->v.v[w->passed - 1]) + 1 : 0;
}

size_t threshold_watch_step(struct threshold_watch *w, const struct thresholds *t, uint64_t open)
{
	size_t before = w->passed;

	while (w->passed < t->v.n && open > t->v.v[w->passed])
		w->passed++;
	while (w->passed && open <= threshold_rearm(t->v.v[w->passed - 1]))
		w->passed--;
	set_bounds(w, t);
	return w->passed > before ? w->passed - before : 0;
}

void threshold_watch_begin(struct threshold_watch *w, const struct thresholds *t, uint64_t open)
{
	w->passed = 0;
	threshold_watch_step(w, t, open);
}

void report_threshold_text(struct strbuf *sb, const struct thresholds *t, uint64_t allocated)
{
	size_t i = 0;

	while (i < t->v.n && allocated > t->v.v[i])
		i++;
	if (i < t->v.n)
		strbuf_addf(sb, "heap_allocated (%llu bytes) - delta with heap_threshold (%llu bytes)",
			    (unsigned long long)allocated, (unsigned long long)(t->v.v[i] - allocated));
	else if (t->v.n)
		strbuf_addf(sb, "heap_allocated (%llu bytes) is above heap_threshold (%llu bytes)",
			    (unsigned long long)allocated, (unsigned long long)t->v.v[i - 1]);
}
