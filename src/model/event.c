/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/event.h"

static const char *const names[] = {
	[EV_PROC] = "proc",
	[EV_PROC_END] = "proc-end",
	[EV_TASK] = "task",
	[EV_MODULE] = "module",
	[EV_MODULE_GONE] = "module-gone",
	[EV_PROBE] = "probe",
	[EV_STACK] = "stack",
	[EV_ALLOC] = "alloc",
	[EV_RELEASE] = "release",
	[EV_RELEASE_UNDO] = "release-undo",
	[EV_REALLOC_BEGIN] = "realloc-begin",
	[EV_REALLOC] = "realloc",
	[EV_FAILED] = "failed",
	[EV_MAP] = "map",
	[EV_UNMAP] = "unmap",
	[EV_REMAP] = "remap",
	[EV_BRK] = "brk",
	[EV_CALL] = "call",
	[EV_NOTE] = "note",
	[EV_SCAN_BEGIN] = "scan-begin",
	[EV_LEAK] = "leak",
	[EV_LEAK_BLOCK] = "leak-block",
	[EV_LEAK_WHY] = "leak-why",
	[EV_SCAN] = "scan",
	[EV_CENSUS] = "census",
	[EV_MARK] = "mark",
	[EV_ERROR] = "error",
	[EV_WHY] = "why",
	[EV_IMAGE] = "image",
	[EV_BLOCK] = "block",
	[EV_STATE_OLDER] = "state-older",
	[EV_STATE_PROC] = "state-proc",
	[EV_STATE_COUNT] = "state-count",
	[EV_STATE_REGION] = "state-region",
	[EV_STATE_AGED] = "state-aged",
	[EV_STATE_ERROR] = "state-error",
	[EV_STATE_SUSPECT] = "state-suspect",
	[EV_RESET] = "reset",
	[EV_STACK_REST] = "stack-rest",
	[EV_ROWS_WANTED] = "rows-wanted",
	[EV_ROWS_GIVEN] = "rows-given",
	[EV_HEAP] = "heap",
	[EV_PLACE] = "place",
	[EV_TARGET] = "target",
	[EV_OOM] = "oom",
	[EV_STATE_REFUSED] = "state-refused",
};

/* Types come from the wire too: one that nobody knows has a name as well. */
const char *event_type_name(enum event_type type)
{
	size_t i = (size_t)type;

	return i < ARRAY_SIZE(names) && names[i] ? names[i] : "unknown";
}

int sink_keeps_nothing(struct event_sink *sink)
{
	(void)sink;
	return 0;
}

void sink_is_owned(struct event_sink *sink)
{
	(void)sink;
}
