/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the operators new was called: libstdc++'s new[] does not call new, it
 * jumps there (on x86-64), and leaves no frame.  The call instruction tells. */
#ifndef TRACE_WRAPPERS_H
#define TRACE_WRAPPERS_H

#include "trace/proc.h"

/* Does the wrapper at a code pointer begin with a jump to another one? */
bool wrapper_jumps(struct proc *p, taddr_t code);
/* An operator new, of which *probe and *families are known, returns to ra, whose
 * caller may have called another one that jumped there.  Then they become that
 * one's; where it cannot be told, *families become those of all it may have
 * been. */
void wrapper_called(struct proc *p, taddr_t ra, uint16_t *probe, uint8_t *families);

#endif
