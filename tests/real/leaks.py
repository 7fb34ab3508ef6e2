# SPDX-License-Identifier: GPL-2.0-or-later
"""Every shape of reachable and lost memory that tests/run has a program for: blocks and bytes of all
four classes must be memcheck's, with glibc's allocator and with a preloaded one.  The programs
initialise what they allocate, so no difference is accepted."""

import os
import re
import shutil
import subprocess
import threading

import common
from common import CC, CXX, MTRACE, TOP, Skip

RUN = os.path.join(TOP, "tests", "run")
VALGRIND = ["valgrind", "--leak-check=full", "--show-leak-kinds=all", "--run-libc-freeres=no",
            "--run-cxx-freeres=no"]
JEMALLOC = "libjemalloc.so.2"
SYNONYMS = ["--soname-synonyms=somalloc=*jemalloc*"]
SHAPE = re.compile(r"{ \"([a-z-]+)\",\s*\w+ }")
COW = "-D_GLIBCXX_USE_CXX11_ABI=0"


def table(source):
    """The names in the table at its end."""
    with open(os.path.join(RUN, source)) as file:
        return SHAPE.findall(file.read())


def flags_of_m32(compiler):
    """The kernel's headers lie where only the 64-bit compiler looks."""
    if not shutil.which(compiler[0]):
        return []
    name = subprocess.run([*compiler, "-print-multiarch"], capture_output=True, text=True).stdout.strip()
    return ["-idirafter", "/usr/include/" + name]


class Program:
    """Built once, by whichever test comes first."""

    def __init__(self, source, compiler, *flags):
        self.source = os.path.join(RUN, source)
        self.compiler = compiler
        self.flags = ["-O1", "-pthread", "-D_GNU_SOURCE", "-I" + RUN, *flags]
        self.optional = "-m32" in flags
        if self.optional:
            self.flags += flags_of_m32(compiler)
        self.lock = threading.Lock()
        self.path = None

    def built(self, folder):
        with self.lock:
            if not self.path:
                self.path = self.build(folder)
            return self.path

    def build(self, folder):
        try:
            return common.build(folder, self.source, self.compiler, *self.flags)
        except subprocess.CalledProcessError:
            if self.optional:
                raise Skip("%s builds no 32-bit programs here" % self.compiler[0])
            raise


def run_valgrind(command, folder, options):
    log = os.path.join(folder, "log")
    with open(os.path.join(folder, "stderr"), "w+") as err:
        env = dict(os.environ, EXPECT="/dev/null")
        preload = dict(env, LD_PRELOAD=JEMALLOC) if options else env
        common.run(VALGRIND + ["--log-file=" + log, *options, *command], preload, folder, err, err)
        err.seek(0)
        said = err.read()
    if "cannot be preloaded" in said:
        raise Skip("no %s here" % JEMALLOC)
    with open(log, errors="replace") as file:
        text = file.read()
    if "in use at exit" not in text:
        raise Skip("valgrind cannot run it: " + reason(text + said))
    return common.log_leaks(text)


def reason(text):
    """Why valgrind gave up, from what it said; the last line where that is not known."""
    found = re.search(r"symbols from the object with soname: (\S+)", text)
    if found:
        return "it wants debug symbols of %s (32-bit: libc6-dbg:i386)" % found.group(1)
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def run_mtrace(command, folder, options):
    export = os.path.join(folder, "export.json")
    report = ["-q", "-a", "-o", os.path.join(folder, "report"), "--export", "json:" + export]
    with open(os.path.join(folder, "stderr"), "w+") as err:
        status = common.run([MTRACE, *report, *options, *command], dict(os.environ, EXPECT="/dev/null"),
                            folder, err, err)
        err.seek(0)
        processes = common.read_export(export, status, err.read())
    if status:
        raise RuntimeError("the program ended with status %d" % status)
    return common.export_leaks(processes[0])


class Shape:
    def __init__(self, name, program, shape, jemalloc=False):
        self.name = name
        self.program = program
        self.shape = shape
        self.jemalloc = jemalloc

    def check(self, world, folder):
        os.mkdir(folder)
        command = [self.program.built(folder), self.shape]
        theirs = run_valgrind(command, folder, SYNONYMS if self.jemalloc else [])
        ours = run_mtrace(command, folder, ["-E", "LD_PRELOAD=" + JEMALLOC] if self.jemalloc else [])
        if ours != theirs:
            raise RuntimeError("valgrind: %s\nmtrace:   %s" % (
                common.describe_leaks(theirs), common.describe_leaks(ours)))
        return common.describe_leaks(ours)


class Group:
    """All of them in one, where there may be a reason that none can be run."""

    def __init__(self, name, shapes):
        self.name = name
        self.shapes = shapes

    def check(self, world, folder):
        os.mkdir(folder)
        for shape in self.shapes:
            shape.check(world, os.path.join(folder, shape.name))
        return "%d shapes" % len(self.shapes)


def all_shapes(word, *flags):
    c = Program("leak-shapes.c", CC, *flags)
    cxx = Program("leak-cxx.cc", CXX, "-std=c++17", *flags)
    cow = Program("leak-cxx.cc", CXX, "-std=c++17", COW, *flags)
    for shape in table("leak-shapes.c"):
        yield Shape(word + shape, c, shape)
    for shape in table("leak-cxx.cc"):
        yield Shape(word + "cxx-" + shape, cow if shape == "cow" else cxx, shape)


TESTS = list(all_shapes("leak-"))
TESTS += [Shape(t.name + "-jemalloc", t.program, t.shape, True) for t in TESTS]
TESTS.append(Group("leak-m32", list(all_shapes("leak-m32-", "-m32"))))
