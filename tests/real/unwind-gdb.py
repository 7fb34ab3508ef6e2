# SPDX-License-Identifier: GPL-2.0-or-later
# Runs inside gdb: stops a program at an allocator's entry and after random
# numbers of instructions, in turn, and compares gdb's frames with ours.
#
#   DRIVER=./unwind-gdb STOPS=1000 GAP=20 STEPS=600 \
#       gdb -nx -batch -x unwind-gdb.py --args PROGRAM ARGS… >/dev/null
#
# GAP: up to so many calls are let pass between stops.  Standard error gets the
# first SHOWN stops that differ and a line of totals; the exit status is 1 when
# something differed.
#
# Where nothing says that a frame is the outermost (ld.so's _start), gdb takes
# the words on the stack (argc, argv[0] …) for return addresses.  A stop where
# gdb's frames are ours and then one whose pc is in no executable memory is
# counted as equal, and also under "beyond".  Where that comes in the middle of
# ours, and ours end where they should, gdb is "lost".
import gdb, os, random, subprocess

ENV = os.environ
STOPS = int(ENV.get("STOPS", "1000"))
GAP = int(ENV.get("GAP", "20"))
STEPS = int(ENV.get("STEPS", "600"))
SHOWN = int(ENV.get("SHOWN", "5"))
ENTRY = ENV.get("ENTRY", "malloc")
random.seed(int(ENV.get("SEED", "1")))

# As the tables of the ABI number them.
REGS64 = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi rax "
          "rip cs eflags rsp ss").split()
REGS32 = "- - - - ebp ebx - - - - eax ecx edx esi edi eax eip cs eflags esp ss".split()

for setting in ("pagination off", "confirm off", "debuginfod enabled off", "width 0",
                "backtrace past-main on", "backtrace past-entry on", "backtrace limit 1024",
                "breakpoint pending on", "disable-randomization on", "print thread-events off",
                "print inferior-events off", "style enabled off"):
    gdb.execute("set " + setting)
for signal in "SIGUSR1 SIGUSR2 SIGALRM SIGSEGV SIGCHLD SIGPIPE".split():
    gdb.execute("handle %s nostop noprint pass" % signal, to_string=True)

driver = subprocess.Popen([ENV["DRIVER"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def alive():
    return bool(gdb.selected_inferior().pid)


def say(text):
    os.write(2, (text + "\n").encode())  # past gdb's own output


def ours():
    frame = gdb.newest_frame()
    wide = "x86-64" in frame.architecture().name()
    regs = []
    for name in REGS64 if wide else REGS32:
        value = 0 if name == "-" else int(frame.read_register(name))
        regs.append("%x" % (value & ((1 << 64) - 1 if wide else (1 << 32) - 1)))
    driver.stdin.write("%d %d %s\n" % (gdb.selected_inferior().pid, 8 if wide else 4, " ".join(regs)))
    driver.stdin.flush()
    words = driver.stdout.readline().split()
    return words[0], [tuple(w.split(":")) for w in words[2:]]


def theirs():
    frames, reason = [], 0
    frame = gdb.newest_frame()
    bits = 64 if "x86-64" in frame.architecture().name() else 32
    sp = "rsp" if bits == 64 else "esp"
    while frame is not None and len(frames) < 1024:
        if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
            frames.append((frame.pc(), int(frame.read_register(sp)) & ((1 << bits) - 1), frame.name()))
        reason = frame.unwind_stop_reason()
        frame = frame.older()
    return gdb.frame_stop_reason_string(reason), frames


def executable(pc):
    with open("/proc/%d/maps" % gdb.selected_inferior().pid) as maps:
        for line in maps:
            where, flags = line.split()[:2]
            start, end = (int(x, 16) for x in where.split("-"))
            if start <= pc < end:
                return "x" in flags
    return False


def without_impossible(gdbs):
    """Wrong call-frame information (glibc's 32-bit memcpy after its jump tables) has gdb take a word
    below the stack pointer for a return address, which makes a frame with its callee's stack
    pointer."""
    return [f for i, f in enumerate(gdbs) if not i or f[1] != gdbs[i - 1][1]]


def agree(mine, end, gdbs):
    """How the frames compare: "equal"; "beyond", equal, then gdb went on into nowhere; "lost", gdb
    went there where we went on to the end; or "differ"."""
    mine = [(int(f[0], 16), int(f[1], 16)) for f in mine]
    gdbs = [f[:2] for f in without_impossible(gdbs)]
    n = min(len(mine), len(gdbs) - 1)
    if mine == gdbs:
        return "equal"
    if mine[:n] != gdbs[:n] or executable(gdbs[n][0]):
        return "differ"
    return "beyond" if n == len(mine) else "lost" if end == "complete" else "differ"


counts = {"stops": 0, "equal": 0, "beyond": 0, "lost": 0, "frames": 0, "differ": 0, "complete": 0, "cut": 0, "broken": 0,
          "entry": 0, "random": 0, "signal": 0, "fp": 0, "cfi": 0}


def show(kind, end, mine, reason, gdbs):
    say("--- stop %d (%s): ours %s, %d frames; gdb: %s, %d frames" % (
        counts["stops"], kind, end, len(mine), reason, len(gdbs)))
    for i in range(max(len(mine), len(gdbs))):
        a = mine[i] if i < len(mine) else None
        b = gdbs[i] if i < len(gdbs) else None
        same = a and b and int(a[0], 16) == b[0] and int(a[1], 16) == b[1]
        if same and i < max(len(mine), len(gdbs)) - 12 and i > 12:
            continue
        say("%s%3d  %-42s  %s" % (" " if same else "*", i, ":".join(a) if a else "-",
                                    "%x:%x %s" % b if b else "-"))
    say(gdb.execute("x/3i $pc", to_string=True))


def leave_thunk():
    """i386's `mov (%esp),%ebx; ret`: libstdc++'s have no call-frame information, and gdb guesses."""
    pc = gdb.newest_frame().pc()
    try:
        code = bytes(gdb.selected_inferior().read_memory(pc - 3, 7))
    except gdb.MemoryError: # the beginning of a page
        return
    for at in (3, 0):
        if code[at] == 0x8b and code[at + 2:at + 4] == b"\x24\xc3":
            gdb.execute("stepi %d" % (2 if at else 1), to_string=True)
            return


def compare(kind):
    leave_thunk()
    reason, gdbs = theirs()
    end, mine = ours()
    counts["stops"] += 1
    counts[kind] += 1
    counts["frames"] += len(mine)
    counts[end] += 1
    counts["signal"] += any(f[3] == "3" for f in mine)
    counts["fp"] += any(f[3] == "4" for f in mine)
    counts["cfi"] += any(f[3] == "2" for f in mine)
    result = agree(mine, end, gdbs)
    counts[result] += 1
    counts["equal"] += result == "beyond"
    if result == "differ" and counts["differ"] <= SHOWN:
        show(kind, end, mine, reason, gdbs)


def one_round(breakpoint):
    breakpoint.enabled = True
    breakpoint.ignore_count = random.randint(0, GAP)
    gdb.execute("continue", to_string=True)
    if not alive():
        return
    compare("entry")
    if counts["stops"] >= STOPS:
        return
    breakpoint.enabled = False
    gdb.execute("stepi %d" % random.randint(1, STEPS), to_string=True)
    if alive():
        compare("random")


def main():
    gdb.execute("starti", to_string=True)
    for i in range(int(ENV.get("EARLY", "40"))):
        compare("random")
        gdb.execute("stepi %d" % random.randint(1, STEPS), to_string=True)
    breakpoint = gdb.Breakpoint("*" + ENTRY if ENTRY.startswith("0x") else ENTRY)
    while alive() and counts["stops"] < STOPS:
        one_round(breakpoint)


main()
say("unwind-gdb: " + ", ".join("%d %s" % (v, k) for k, v in counts.items()))
if alive():
    gdb.execute("kill", to_string=True)
driver.stdin.close()
gdb.execute("quit %d" % (1 if counts["differ"] or not counts["stops"] else 0))
