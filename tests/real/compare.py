# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs programs under valgrind (twice) and under mtrace and compares, process by process, how
much each allocated, released and left.  Any difference is a failure, unless the two valgrind
runs already differ from each other; then the test is skipped and says so.

Both tools must show the program the same world.  valgrind adds variables to the program's
environment, and programs like git and perl copy the environment to the heap, so mtrace's runs
get variables of the same names and lengths, LD_PRELOAD with as many libraries among them.
The working folder, argv[0] and what the descriptors are open on are the same too.

Some programs allocate more or less depending on addresses: Python keeps them as integers, gcc
hashes them.  So valgrind's are made as long as real ones, its second run has others than the
first, and mtrace's runs are without randomization, so that they repeat.

What is lost must be equal too, class by class.  What a program never wrote may point somewhere,
and where it points is the allocator's own; so where classes differ, both run once more and fill
what they hand out.  What a program forgot to clear may point to a released block, and another may
be there by now, but not under valgrind, which keeps released blocks back; and what points to a
rounded address points to a block's start, or into it, as it happens.  So if classes still differ,
both run with memory that is aligned alike and never handed out twice (noreuse.c).  Then no
difference is accepted."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile

import common
import leaks
from common import CC, CXX, HERE, MTRACE, TOP, Skip, number

ADDR_NO_RANDOMIZE = 0x0040000 # <sys/personality.h>
FILL = ["--malloc-fill=0xa5"] # eight of them are no address
NO_REUSE = ["--malloc-fill=0x0", "--freelist-vol=4000000000", "--alignment=128"]
FIELDS = ("allocs", "frees", "bytes_allocated", "open_bytes", "open_blocks")
# Correct programs have none of these.
NONE_OF = ("error_count", "unseen_releases")
VALGRIND = ["valgrind", "--run-libc-freeres=no", "--run-cxx-freeres=no", "--trace-children=yes",
            "--leak-check=summary"]
# The addresses of the two runs.
HERE_FIRST = ["--aspace-minaddr=0x100000000"]
THEN_ELSEWHERE = ["--aspace-minaddr=0x1f0000000", "--redzone-size=96", "--freelist-vol=100000"]
# More of them, tried only when mtrace's numbers differ.
OTHERS = [["--aspace-minaddr=0x%x" % (0x110000000 + n * 0x13371000), "--redzone-size=%d" % (16 << n % 5),
           "--freelist-vol=%d" % (n * 1000000)] for n in range(6)]
# And of ours, which the kernel chooses anew each time, higher than valgrind can: Python
# keeps addresses as numbers and as text.
ELSEWHERE_TOO = 5
# In all, where the numbers of blocks and what is in use are the same.
ADDRESS_BYTES = 64
BASE_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

SQL = """
create table person (id integer primary key, name text, age integer);
create index by_age on person (age, name);
with recursive n (i) as (select 1 union all select i + 1 from n where i < 1500)
 insert into person select i, 'person number ' || i, i * 37 % 90 from n;
select age, count(*), max(name) from person group by age having count(*) > 16;
select a.name, b.name from person a join person b on a.id = b.age where b.id < 40 order by 2, 1;
delete from person where age between 20 and 60;
create table other as select name, length(name) l from person;
update other set name = upper(name) where l > 15;
begin; insert into other values ('undone', 1); rollback;
drop index by_age;
select count(*), sum(l) from other;
"""

PYTHON = """
import collections, io, json, re
tree = {str(i): [j * 1.5 for j in range(i % 20)] + [{"key": "v" * (i % 50)}] for i in range(400)}
text = json.dumps(tree, indent=1)
assert json.loads(text) == tree
words = collections.Counter(re.findall(r"[0-9.]+|v+", text))
queue = collections.deque(sorted(words.items(), key=lambda w: (w[1], w[0])), maxlen=100)
groups = collections.OrderedDict()
for word, count in queue:
    groups.setdefault(len(word), []).append(re.sub(r"(v)(v*)", r"\\2-\\1", word) * count)
out = io.StringIO()
for n in groups:
    print(n, len(groups[n]), file=out)
print(len(text), len(words), len(out.getvalue()))
"""

PERL = """
use strict; use warnings;
my (%count, @list);
for my $i (0 .. 3000) {
    my $word = "word" . ($i * 7919 % 701);
    $count{$word}{$i % 13} += $i;
    push @list, [$word, $i] if $word =~ /^word(\\d)\\d*\\1$/;
}
my $text = join ",", map { "$_->[0]=$_->[1]" } sort { $a->[0] cmp $b->[0] || $b->[1] <=> $a->[1] } @list;
(my $other = $text) =~ s/(\\w+)=(\\d+)/$2 x 2 . ":" . uc $1/ge;
my %seen; $seen{$_}++ for split /[,:]/, $other;
printf "%d %d %d\\n", scalar(keys %count), length $other, scalar grep { $seen{$_} > 1 } sort keys %seen;
"""

# Not a shell: bash keeps its parent's number as text, whose length may differ between two runs,
# and dash vforks, and what its child allocates then is in the shell's own heap, where mtrace sees
# it; valgrind makes a fork of every vfork.
GIT = """
use strict;
sub git { system("git", @_) == 0 or die "git @_: $?\\n" }
sub put { my ($mode, $name, $text) = @_; open my $f, $mode, $name or die; print $f $text; close $f }
git("init", "-q", ".");
git("config", "user.name", "A U Thor");
git("config", "user.email", "author\\@example.org");
mkdir "folder";
put(">", "folder/file$_", "line $_\\n") for 0 .. 29;
utime 1580608922, 1580608922, "script.pl", "folder", glob "folder/*";
git("add", ".");
git("commit", "-q", "-m", "The first");
put(">>", "folder/file3", "more\\n");
utime 1580695322, 1580695322, "folder/file3";
git("commit", "-q", "-a", "-m", "The second");
git("log", "--stat");
"""

C = """#include <stdio.h>
int main(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("%s\\n", argv[i]);
	return 0;
}
"""

WORDS = "".join("%d-word %s\n" % (i * 7919 % 3001, "abcdefg"[i % 7] * (i % 40)) for i in range(3000))
AWK = """
{ n[substr($1, 1, 3)] += length($0); text[NR % 97] = text[NR % 97] $2 }
END { for (k in n) total += n[k]; gsub(/a+/, "b", text[3]); print total, length(text[3]) }
"""
# Subshells only, one after the other: the processes' order is that of their numbers.
BASH = """
declare -A n; while IFS=- read -r a b; do n[${b:0:8}]=$((n[${b:0:8}] + a)); done < <(head -300 words)
x=$(echo "${!n[@]}" | tr ' ' '\\n' | wc -l); f() { local y=$1; (( y > 0 )) && f $((y - 1)); }; f 20
( for i in {1..5}; do z[i]=$x; done; echo ${z[@]} ); case $x in *1) echo one;; esac
"""
DASH = """
x=$(echo a b c); y=$(x=$x.; echo $x); (z=$x$y; echo $z)
for i in $x $y; do echo $i $i; done | while read a b; do echo $b; done; echo $(echo $x)
"""
CMAKE = """
foreach(i RANGE 30)
string(REGEX REPLACE "[0-9]" "x${i}" b "12${i}")
list(APPEND all ${b})
endforeach()
list(SORT all)
message(STATUS "${all}")
"""
MAKE = """
all: a b c
a b c: ; @echo $@ $(shell echo of make)
"""


def find(program):
    """The file that is run in the end, not a wrapper script that chooses one."""
    if program == "python3":
        return os.path.realpath(sys.executable)
    path = shutil.which(program, path=BASE_ENV["PATH"])
    if not path:
        raise Skip("no %s here" % program)
    return path


def build_c(folder, source, *flags):
    return common.build(folder, os.path.join(TOP, source), CC, "-O2", "-std=gnu11", "-D_GNU_SOURCE", *flags)


# Each test: what makes the command from the folder that programs are built in, the files that
# lie in the working folder, variables, and whether children are followed.  `output`: does it
# write the same every time?
class Test:
    def __init__(self, name, command, files=None, env=None, follow=False, output=True, jemalloc=True,
                 addresses=False):
        self.name = name
        self.command = command
        self.files = files or {}
        self.env = env or {}
        self.follow = follow
        self.output = output
        self.jemalloc = jemalloc
        # Sizes of what it allocates depend on where it lies: runs of valgrind differ by some
        # bytes, most times.
        self.addresses = addresses
        self.preload = None

    def check(self, world, folder):
        return check(world, self, folder)


PERL_ENV = {"PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}
PYTHON_ENV = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
GIT_ENV = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_DATE": "1600000000 +0000",
           "GIT_COMMITTER_DATE": "1600000000 +0000", "GIT_PAGER": "cat"}
TESTS = [
    Test("true", lambda d: [find("true")]),
    Test("allocbench", lambda d: [build_c(d, "bench/allocbench.c", "-pthread"), "60000"],
         output=False),
    Test("counting", lambda d: [build_c(d, "tests/real/counting.c", "-fno-builtin")]),
    Test("threads", lambda d: [build_c(d, "tests/real/threads.c", "-pthread")]),
    Test("cxx", lambda d: [common.build(d, os.path.join(HERE, "cxx.cc"), CXX, "-O2", "-std=c++17")]),
    Test("sqlite3", lambda d: [find("sqlite3"), "-batch", ":memory:", ".read script.sql"],
         {"script.sql": SQL}),
    Test("python3", lambda d: [find("python3"), "script.py"], {"script.py": PYTHON}, PYTHON_ENV),
    Test("python3-malloc", lambda d: [find("python3"), "script.py"], {"script.py": PYTHON},
         dict(PYTHON_ENV, PYTHONMALLOC="malloc"), addresses=True),
    Test("perl", lambda d: [find("perl"), "script.pl"], {"script.pl": PERL}, PERL_ENV),
    Test("git", lambda d: [find("git") and find("perl"), "script.pl"], {"script.pl": GIT},
         dict(PERL_ENV, **GIT_ENV), follow=True),
    Test("gcc", lambda d: [find("gcc"), "-O1", "-o", "out", "small.c"], {"small.c": C}, follow=True),
    Test("sort", lambda d: [find("sort"), "--parallel=2", "-S", "64K", "-T", ".", "words"],
         {"words": WORDS}),
    Test("awk", lambda d: [find("awk"), AWK, "words"], {"words": WORDS}),
    Test("xz", lambda d: [find("xz"), "-k", "words"], {"words": WORDS},
         jemalloc=False),
    Test("openssl", lambda d: [find("openssl"), "genpkey", "-algorithm", "ed25519", "-out", "key"],
         jemalloc=False),
    Test("bash", lambda d: [find("bash"), "--norc", "-c", BASH], {"words": WORDS}, follow=True,
         jemalloc=False),
    Test("dash", lambda d: [find("dash"), "-c", DASH], follow=True),
    Test("make", lambda d: [find("make"), "-s"], {"Makefile": MAKE}, follow=True, jemalloc=False),
    Test("cmake", lambda d: [find("cmake"), "-P", "script"], {"script": CMAKE}, jemalloc=False),
    Test("node", lambda d: [find("node"), "--version"], jemalloc=False),
]


def with_jemalloc():
    for test in TESTS:
        if not test.jemalloc:
            continue
        other = Test(test.name + "-jemalloc", test.command, test.files, test.env, test.follow,
                     test.output)
        other.preload = "libjemalloc.so.2"
        yield other


class World:
    """What all runs share: the variables that valgrind adds, and their likeness for mtrace."""

    def __init__(self, folder):
        self.folder = folder
        env = self.environment(folder)
        # Children of a program under valgrind have its VALGRIND_LIB too, so everybody gets it.
        if "VALGRIND_LIB" in self.shown(env, "sh", "-c", "env; :"):
            BASE_ENV["VALGRIND_LIB"] = self.shown(env, "sh", "-c", "env; :")["VALGRIND_LIB"]
        env = self.environment(folder)
        shown = self.shown(env, "env")
        self.extra = {name: shown[name] for name in shown if env.get(name) != shown[name]}
        preload = [path for path in self.extra.pop("LD_PRELOAD").split(":") if path]
        empty = [self.likeness(path, "extern int empty;") for path in preload]
        with open(os.path.join(HERE, "noreuse.c")) as source:
            fresh = self.likeness(preload[-1], source.read())
        self.preload = ":".join(empty)
        self.fresh = ":".join(empty[:-1] + [fresh])
        options = subprocess.run([MTRACE, "--help"], capture_output=True, text=True).stdout
        self.fills = "--malloc-fill" in options

    @staticmethod
    def environment(work, variables=None, preload=None):
        """PWD, since the `valgrind` of some systems is a shell script, which exports it;
        LD_PRELOAD, since children under valgrind have it, if only as an empty string."""
        return dict(BASE_ENV, HOME=work, PWD=work, LD_PRELOAD=preload or "",
                    **(variables or {}))

    @staticmethod
    def shown(env, *command):
        lines = subprocess.run(VALGRIND + ["-q", "--log-file=/dev/null", *command], env=env, cwd=env["PWD"],
                               check=True, capture_output=True, text=True).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def likeness(self, path, text):
        """A library whose path is as long as this one's."""
        name = os.path.join(self.folder, "")
        if len(name) + 4 > len(path):
            raise SystemExit("Bail out! the name of TMPDIR is too long")
        name += "l" * (len(path) - len(name) - 3) + ".so"
        while os.path.exists(name):
            name = name[:-4] + chr(ord(name[-4]) + 1) + ".so"
        source = os.path.join(self.folder, "source.c")
        with open(source, "w") as out:
            out.write(text + "\n")
        subprocess.run(CC + ["-O1", "-shared", "-fPIC", "-o", name, source], check=True)
        return name

    def variables(self, test, fresh):
        """As arguments for mtrace: the program is to have them, mtrace itself is not."""
        preload = (self.fresh if fresh else self.preload) + ":" + (test.preload or "")
        for name, value in [*self.extra.items(), ("LD_PRELOAD", preload)]:
            yield "-E"
            yield "%s=%s" % (name, value)


def run(test, folder, command, arguments, env):
    """In a working folder made afresh, always of the same name."""
    work = os.path.join(folder, "work")
    shutil.rmtree(work, ignore_errors=True)
    os.mkdir(work)
    for name, text in test.files.items():
        with open(os.path.join(work, name), "w") as out:
            out.write(text)
    with open(os.path.join(folder, "stdout"), "w+") as out, \
            open(os.path.join(folder, "stderr"), "w+") as err:
        status = common.run(command + arguments, env, work, out, err)
        out.seek(0)
        err.seek(0)
        return status, out.read(), err.read()


def read_valgrind_log(path):
    """None for a process without a summary, which did not end by itself."""
    with open(path, errors="replace") as log:
        text = log.read()
    command = re.findall(r"^==\d+== Command: (\S+)", text, re.M)
    in_use = re.findall(r"in use at exit: ([\d,]+) bytes in ([\d,]+) blocks", text)
    usage = re.findall(r"total heap usage: ([\d,]+) allocs, ([\d,]+) frees, ([\d,]+) bytes", text)
    if not in_use or not usage:
        return None
    allocs, frees, bytes_allocated = map(number, usage[-1])
    open_bytes, open_blocks = map(number, in_use[-1])
    return {"name": os.path.basename(command[-1]) if command else None,
            "digits": len(os.path.basename(path)),
            "leaks": common.log_leaks(text),
            "allocs": allocs, "frees": frees, "bytes_allocated": bytes_allocated,
            "open_bytes": open_bytes, "open_blocks": open_blocks}


def run_valgrind(test, folder, command, env, more):
    logs = os.path.join(folder, "logs")
    shutil.rmtree(logs, ignore_errors=True)
    os.mkdir(logs)
    options = ["--log-file=%s/%%p" % logs, *more]
    if test.preload:
        options.append("--soname-synonyms=somalloc=*jemalloc*")
    if not test.follow:
        options.append("--trace-children=no")
    # Its parent is as young as mtrace will be: shells keep their parent's number too.
    result = run(test, folder, ["sh", "-c", '"$0" "$@"; exit $?'] + VALGRIND + options, command, env)
    processes = [read_valgrind_log(os.path.join(logs, pid)) for pid in sorted(os.listdir(logs), key=int)]
    return result, [p for p in processes if p]


def run_mtrace(test, folder, command, env, more):
    export = os.path.join(folder, "export.json")
    if os.path.exists(export):
        os.unlink(export)
    options = ["-o", os.path.join(folder, "report"), "--export", "json:" + export, *more]
    if test.follow:
        options.append("-f")
    # valgrind's log is the program's descriptor 3, and shells keep tables by number.
    result = run(test, folder, ["sh", "-c", 'exec "$0" "$@" 3>/dev/null', MTRACE] + options, command, env)
    processes = common.read_export(export, result[0], result[2])
    processes.sort(key=lambda p: p["pid"])
    return result, [dict({f: p[f] for f in FIELDS + NONE_OF}, name=os.path.basename(p["exe"]),
                         digits=len(str(p["pid"])), leaks=common.export_leaks(p)) for p in processes]


def real_name(name):
    """valgrind tells how a program was called, mtrace what it is."""
    path = shutil.which(name, path=BASE_ENV["PATH"])
    return os.path.basename(os.path.realpath(path)) if path else name


def describe(process):
    return "%(allocs)d allocs, %(frees)d frees, %(bytes_allocated)d bytes, " \
        "in use %(open_bytes)d bytes in %(open_blocks)d blocks" % process


def compare(ours, theirs, left_out=()):
    """Lines that say what differs."""
    lines = []
    names = [real_name(p["name"]) if p["name"] else None for p in theirs]
    if len(ours) != len(theirs):
        lines.append("valgrind saw %d processes (%s), mtrace %d (%s)" % (
            len(theirs), " ".join(map(str, names)), len(ours), " ".join(p["name"] for p in ours)))
    for i, mine in enumerate(ours):
        for field in NONE_OF:
            if mine[field]:
                lines.append("process %d, %s: %s is %d" % (i + 1, mine["name"], field, mine[field]))
    for i, (mine, other) in enumerate(zip(ours, theirs)):
        if names[i] and real_name(mine["name"]) != names[i]:
            lines.append("process %d: valgrind says %s, mtrace %s" % (i + 1, names[i], mine["name"]))
        elif i not in left_out and any(mine[f] != other[f] for f in FIELDS):
            lines.append("process %d, %s:" % (i + 1, mine["name"]))
            lines.append("    valgrind: " + describe(other))
            lines.append("    mtrace:   " + describe(mine))
    return lines


def digits(processes):
    """Of their numbers, which shells keep as text: between two runs they may begin anew."""
    return [p["digits"] for p in processes]


def disagreeing(theirs, again, fields=("name", *FIELDS)):
    """Indices of the processes on which valgrind does not agree with itself: nobody knows the
    right numbers of these."""
    if len(theirs) != len(again):
        raise Skip("valgrind saw %d processes, then %d" % (len(theirs), len(again)))
    return [i for i, (one, two) in enumerate(zip(theirs, again)) if any(one[f] != two[f] for f in fields)]


def compare_leaks(ours, theirs, left_out):
    lines = []
    for i, (mine, other) in enumerate(zip(ours, theirs)):
        if i not in left_out and mine["leaks"] != other["leaks"]:
            lines.append("process %d, %s:" % (i + 1, mine["name"]))
            lines.append("    valgrind: " + common.describe_leaks(other["leaks"]))
            lines.append("    mtrace:   " + common.describe_leaks(mine["leaks"]))
    return lines


def compare_again(runs, left_out, for_valgrind, for_mtrace, fresh):
    """As compare_leaks, of other runs."""
    theirs = runs.valgrind(HERE_FIRST + for_valgrind)[1]
    ours = runs.mtrace(for_mtrace, fresh)[1]
    if len(ours) != len(theirs) or len(theirs) <= max(left_out, default=-1):
        raise RuntimeError("again, valgrind saw %d processes, mtrace %d" % (len(theirs), len(ours)))
    lines = compare_leaks(ours, theirs, left_out)
    if lines:
        again = runs.valgrind(THEN_ELSEWHERE + for_valgrind)[1]
        lines = compare_leaks(ours, theirs, left_out + disagreeing(theirs, again, ("leaks",)))
    return lines


def check_leaks(runs, ours, theirs, left_out):
    """What is to be said of the classes, in lines; raises RuntimeError when they differ."""
    lines = compare_leaks(ours, theirs, left_out)
    if not lines:
        return []
    filled = runs.world.fills and compare_again(runs, left_out, FILL, FILL, False)
    if filled == []:
        return ["leaks differ by what was never written, and are equal when that is filled:"] + lines
    fresh = compare_again(runs, left_out, NO_REUSE, [], True)
    if fresh:
        raise RuntimeError("\n".join(["leaks differ:", *lines, "and when blocks are aligned alike and"
                                      " no memory is used again:", *fresh]))
    return ["leaks differ by where blocks lie, and are equal when they are aligned alike and no memory"
            " is used again:"] + lines


class Runs:
    """One test under both tools."""

    def __init__(self, world, test, folder):
        self.world = world
        self.test = test
        self.folder = folder
        programs = os.path.join(folder, "bin")
        os.makedirs(programs)
        self.command = test.command(programs)
        self.env = world.environment(os.path.join(folder, "work"), test.env, test.preload)

    def valgrind(self, more):
        return run_valgrind(self.test, self.folder, self.command, self.env, more)

    def mtrace(self, more=(), fresh=False):
        env = {n: self.env[n] for n in self.env if n != "LD_PRELOAD"}
        more = [*self.world.variables(self.test, fresh), *more]
        return run_mtrace(self.test, self.folder, self.command, env, more)


def check(world, test, folder):
    """Returns what to print after `ok`; raises Skip with a reason, or RuntimeError."""
    runs = Runs(world, test, folder)
    for _ in range(3):
        first, theirs = runs.valgrind(HERE_FIRST)
        if not theirs or not any(p["allocs"] for p in theirs) and test.preload:
            raise Skip("valgrind cannot follow it")
        again = runs.valgrind(THEN_ELSEWHERE)[1]
        third, ours = runs.mtrace()
        if digits(theirs) == digits(again) == digits(ours):
            break
    left_out = disagreeing(theirs, again)
    lines = compare(ours, theirs, left_out)
    for options in OTHERS if lines else []:
        left_out += disagreeing(theirs, runs.valgrind(options)[1])
        lines = compare(ours, theirs, left_out)
        if not lines:
            break
    for _ in range(ELSEWHERE_TOO if lines else 0):
        ours = runs.mtrace()[1]
        if digits(ours) == digits(theirs):
            lines = compare(ours, theirs, left_out)
        if not lines:
            break
    if lines and test.addresses and all(
            abs(mine["bytes_allocated"] - other["bytes_allocated"]) <= ADDRESS_BYTES and
            all(mine[f] == other[f] for f in FIELDS if f != "bytes_allocated")
            for mine, other in zip(ours, theirs)):
        raise Skip("some bytes of what it allocates depend on addresses, at which valgrind cannot run")
    if len(set(left_out)) == len(theirs):
        raise Skip("runs of valgrind at different addresses differ")
    if third[0] != first[0]:
        lines.append("exit status under valgrind %d, under mtrace %d" % (first[0], third[0]))
    if test.output and third[1] != first[1]:
        lines.append("the program wrote other text")
    if lines:
        raise RuntimeError("\n".join(lines))
    said = check_leaks(runs, ours, theirs, left_out)
    kept = [p for i, p in enumerate(ours) if i not in left_out]
    text = "%d processes, %d allocs, %d bytes" % (
        len(kept), sum(p["allocs"] for p in kept), sum(p["bytes_allocated"] for p in kept))
    if left_out:
        text += "; without %s, on which runs of valgrind at different addresses differ" % (
            ", ".join(theirs[i]["name"] for i in sorted(set(left_out))))
    return "\n".join([text, *said])


def main():
    tests = common.chosen(TESTS + list(with_jemalloc()) + leaks.TESTS, sys.argv[1:])
    ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE) # refused? then it stays as it is
    folder = tempfile.mkdtemp(prefix="mtr")
    world = World(folder)
    return common.run_all(tests, lambda test, work: test.check(world, work), folder)


sys.exit(main())
